// Buckets of documents that share a band, and the kept members of each as documents pass in order.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/spill.h"
#include "curate/fingerprints.h"

namespace cupel::curate {

/// A document's place in one band: 0 if nobody shares its key; else the number of its bucket, from
/// 1 in each band, and whether it is the bucket's last member.
struct Place {
  uint32_t bits = 0;
  bool shared() const { return bits != 0; }
  uint32_t bucket() const { return bits >> 1; }
  bool last() const { return bits & 1; }
};

/// For every document and band its Place, 4 bytes, in blocks of the fingerprints' size.
class Places {
 public:
  /// Sorts band by band, several at once where `work_bytes` allow, and drops the keys of each band
  /// when it is done. first_copy: a document's number, or that of the first with the same text,
  /// whose copies are in no bucket. Blocks go to `store`.
  Places(Fingerprints& fingerprints, std::span<const uint32_t> first_copy, int64_t work_bytes,
         BlockStore& store, ThreadPool& pool, const std::function<void()>& poll);

  /// Of the documents of one block, out[band * documents + i].
  void read(int64_t block, std::span<Place> out) const;
  /// How many buckets each band has.
  const std::vector<uint32_t>& buckets() const { return buckets_; }

 private:
  BlockStore& store_;
  std::vector<uint32_t> buckets_;
  std::vector<std::vector<int64_t>> blocks_;  // of a band: numbers in the store
};

/// Kept members of each bucket, newest first; 4 bytes a bucket and 8 a member.
class BucketLists {
 public:
  explicit BucketLists(const std::vector<uint32_t>& buckets);

  void push(int band, Place place, uint32_t document);
  /// After the last member: gives the list's room to others.
  void close(int band, Place place);
  /// Appends the members from document `from` on.
  void collect(int band, Place place, uint32_t from, std::vector<uint32_t>& out) const;
  int64_t bytes() const;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  struct Member {
    uint32_t document, next;
  };
  uint32_t& head(int band, Place place) {
    return heads_[static_cast<std::size_t>(band)][place.bucket() - 1];
  }

  std::vector<std::vector<uint32_t>> heads_;
  std::vector<Member> members_;
  uint32_t free_ = kNone;  // members given back
};

}  // namespace cupel::curate

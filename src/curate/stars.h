// Near duplicates as stars around kept documents: decides documents in order, block by block.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "curate/buckets.h"
#include "curate/set_cache.h"
#include "curate/shingles.h"

namespace cupel::curate {

/// A document dropped for the kept one that it resembles.
struct NearDrop {
  uint32_t document, kept;
  double similarity;
};

/// What makes a near duplicate, and who never is one.
struct StarRules {
  double jaccard;
  int ngram;
  NgramUnit unit;
  uint32_t references;  // documents below are kept
};

/// A document is dropped if an earlier kept one of its buckets has a Jaccard similarity of
/// `jaccard` or more, for the most similar of these, the first of several. Documents pass in
/// batches: a batch is compared with what was kept before it by all threads, then, document by
/// document, with what is kept of itself.
class Stars {
 public:
  /// text(document) is a normal form; called from several threads. poll() is called between the
  /// parts of the work. `bytes` bound lists and sets.
  Stars(const StarRules& rules, const std::vector<uint32_t>& buckets, int64_t bytes,
        const std::function<std::string(int64_t)>& text, ThreadPool& pool,
        const std::function<void()>& poll);

  /// Decides the documents first … in order. places: bands x documents; kept: one a document, on
  /// entry its own number, or another for those that take no part; on return also that of the kept
  /// document for which it is dropped. Appends to `drops`.
  void decide(uint32_t first, std::span<const Place> places, std::span<uint32_t> kept,
              std::vector<NearDrop>& drops);

 private:
  struct Contender {
    uint32_t document;
    SetCache::Set set = {};
    uint32_t kept = UINT32_MAX;  // the best found so far, and its similarity
    double similarity = 0;
  };
  struct Pair {
    uint32_t kept, contender;
    double similarity;
  };

  SetCache::Set set_of(uint32_t document) const;
  void build_sets(std::size_t begin, std::size_t& end);
  void compare_with_kept(std::size_t begin, std::size_t end);
  void compare_pairs();
  void compare_chunk(std::span<Pair> pairs, std::vector<std::pair<uint32_t, SetCache::Set>>& built,
                     std::atomic<int64_t>& room) const;
  void resolve(std::size_t begin, std::size_t end);
  void settle(const Contender& contender);
  const std::vector<uint32_t>& candidates(uint32_t document, uint32_t from);
  Place place(std::size_t band, uint32_t document) const {
    return places_[band * documents_ + (document - first_)];
  }
  static void offer(Contender& contender, uint32_t kept, double similarity);

  StarRules rules_;
  std::size_t bands_;
  int64_t bytes_;
  const std::function<std::string(int64_t)>& text_;
  ThreadPool& pool_;
  const std::function<void()>& poll_;
  BucketLists lists_;
  SetCache cache_;

  // Of the block in hand.
  uint32_t first_ = 0;
  std::size_t documents_ = 0;
  std::span<const Place> places_{};
  std::vector<Contender> contenders_{};
  std::vector<Pair> pairs_{};
  std::vector<uint32_t> candidates_{};
};

}  // namespace cupel::curate

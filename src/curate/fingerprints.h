// Fingerprints of all documents, column by column, within a memory limit.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/hash.h"
#include "base/spill.h"

namespace cupel::curate {

/// What is kept of a document until duplicates are sought: 16 bytes, and 8 a band.
struct Fingerprint {
  Hash128 text;                     // of the normal form
  std::vector<uint64_t> band_keys;  // MinHash::band_keys; empty without near-duplicates
};

/// Documents are numbered in the order of add(). A column lies in blocks of block_documents().
class Fingerprints {
 public:
  /// Blocks go to `store`, which must outlive this.
  Fingerprints(int bands, int64_t block_documents, BlockStore& store);

  void add(const Fingerprint& document);
  void finish();  // after the last add()

  int64_t documents() const { return documents_; }
  int bands() const { return bands_; }
  int64_t block_documents() const { return block_documents_; }

  /// take(first document, one key a document from there on): the hashes of the texts, or the keys
  /// of a band.
  template <class Key>
  using TakeKeys = std::function<void(int64_t, std::span<const Key>)>;
  void scan_texts(const TakeKeys<Hash128>& take) const;
  void scan_band(int band, const TakeKeys<uint64_t>& take) const;
  void drop_texts();
  void drop_band(int band);

 private:
  void put_block();
  template <class Key>
  void scan(int column, const TakeKeys<Key>& take) const;
  void drop(int column);
  int64_t block_size(int64_t block) const;

  int bands_;
  int64_t block_documents_, documents_ = 0;
  BlockStore& store_;
  std::vector<Hash128> texts_;   // of the block under construction, as are the keys
  std::vector<uint64_t> keys_;   // bands x block_documents
  std::vector<int64_t> blocks_;  // (1 + bands) a block: numbers in the store
};

}  // namespace cupel::curate

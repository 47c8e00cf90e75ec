// MinHash signatures cut into bands: documents that share a band are candidates for
// near-duplicates.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cupel::curate {

/// Broder 1997 for the signatures, Indyk and Motwani 1998 for the bands. The permutations are the
/// same in every run, so keys of different corpora can be compared.
class MinHash {
 public:
  /// `bands` * `rows` permutations.
  MinHash(int bands, int rows);

  int bands() const { return bands_; }

  /// One key a band: a hash of its `rows` minima over `shingles`. keys: bands(), overwritten.
  void band_keys(std::span<const uint64_t> shingles, std::span<uint64_t> keys) const;

 private:
  int bands_, rows_;
  std::vector<uint64_t> factors_, offsets_;  // bands * rows
};

/// Chance that two documents of this Jaccard similarity share a band: 1 - (1 - s^rows)^bands.
double band_recall(double similarity, int bands, int rows);

}  // namespace cupel::curate

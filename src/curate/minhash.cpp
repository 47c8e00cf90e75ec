#include "curate/minhash.h"

#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/rng.h"
#include "kernels/kernels.h"

namespace cupel::curate {

MinHash::MinHash(int bands, int rows) : bands_(bands), rows_(rows) {
  CUPEL_ASSERT(bands > 0 && rows > 0);
  Rng rng(0, "minhash");
  for (int i = 0; i < bands * rows; ++i) {
    factors_.push_back(rng.next_u64() | 1);
    offsets_.push_back(rng.next_u64());
  }
}

void MinHash::band_keys(std::span<const uint64_t> shingles, std::span<uint64_t> keys) const {
  CUPEL_ASSERT(keys.size() == static_cast<std::size_t>(bands_));
  std::vector<uint32_t> minima(factors_.size());
  kernels().minhash(shingles.data(), static_cast<int64_t>(shingles.size()), factors_.data(),
                    offsets_.data(), minima.data(), static_cast<int64_t>(minima.size()));
  const std::string_view bytes(reinterpret_cast<const char*>(minima.data()),
                               minima.size() * sizeof(uint32_t));
  const std::size_t band = static_cast<std::size_t>(rows_) * sizeof(uint32_t);
  for (std::size_t b = 0; b < keys.size(); ++b) keys[b] = hash64(bytes.substr(b * band, band));
}

double band_recall(double similarity, int bands, int rows) {
  return 1 - std::pow(1 - std::pow(similarity, rows), bands);
}

}  // namespace cupel::curate

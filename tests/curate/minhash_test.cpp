#include "curate/minhash.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace cupel::curate {
namespace {

std::vector<uint64_t> keys_of(const MinHash& minhash, const std::vector<uint64_t>& set) {
  std::vector<uint64_t> keys(static_cast<std::size_t>(minhash.bands()));
  minhash.band_keys(set, keys);
  return keys;
}

TEST(MinHash, GivesEqualSetsEqualKeysAndOthersOthers) {
  const MinHash minhash(25, 5);
  const std::vector<uint64_t> set = {11, 22, 33}, other = {44, 55};
  EXPECT_EQ(keys_of(minhash, set), keys_of(MinHash(25, 5), set));
  const auto a = keys_of(minhash, set), b = keys_of(minhash, other);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NE(a[i], b[i]);
}

TEST(MinHash, KeepsItsKeysFromReleaseToRelease) {
  EXPECT_EQ(keys_of(MinHash(2, 3), {1, 2, 3}),
            (std::vector<uint64_t>{3022362459832627879u, 16154236446376839190u}));
}

/// Share of bands of one row that two sets of this similarity have in common: an estimate of the
/// similarity itself.
TEST(MinHash, SharesABandOfOneRowAsOftenAsTheSimilaritySays) {
  constexpr int kBands = 4000;
  const MinHash minhash(kBands, 1);
  Rng rng(3, "sets");
  for (const double similarity : {0.1, 0.5, 0.9}) {
    std::vector<uint64_t> a, b;
    for (int i = 0; i < 1000; ++i) {
      const uint64_t value = rng.next_u64();
      const bool common = i < 1000 * similarity;
      if (common || i % 2 == 0) a.push_back(value);
      if (common || i % 2 == 1) b.push_back(value);
    }
    const auto x = keys_of(minhash, a), y = keys_of(minhash, b);
    int shared = 0;
    for (std::size_t i = 0; i < x.size(); ++i) shared += x[i] == y[i];
    const double deviation = std::sqrt(similarity * (1 - similarity) / kBands);
    EXPECT_NEAR(shared / static_cast<double>(kBands), similarity, 4.5 * deviation);
  }
}

TEST(BandRecall, IsTheChanceThatOneBandAgrees) {
  EXPECT_EQ(band_recall(1, 25, 5), 1);
  EXPECT_EQ(band_recall(0, 25, 5), 0);
  EXPECT_DOUBLE_EQ(band_recall(0.5, 1, 2), 0.25);
  EXPECT_NEAR(band_recall(0.7, 25, 5), 0.99, 0.005);
  EXPECT_NEAR(band_recall(0.7, 14, 8), 0.56, 0.01);
}

}  // namespace
}  // namespace cupel::curate

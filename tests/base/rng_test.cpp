#include "base/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace cupel {
namespace {

using Block = std::array<uint32_t, 4>;

// Random123 (D. E. Shaw Research), tests/kat_vectors, rows "philox4x32 10".
TEST(Rng, PhiloxGivesThePublishedVectors) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, HashIsXxh3) {
  EXPECT_EQ(hash64(""), 0x2d06800538d394c2u);  // xxHash's own check value
  EXPECT_NE(hash64("a"), hash64("b"));
  EXPECT_NE(hash64("a", 1), hash64("a", 2));
}

TEST(Rng, StreamsDifferBySeedPurposeAndIndex) {
  const std::set<uint64_t> firsts{Rng(1, "data").next_u64(), Rng(2, "data").next_u64(),
                                  Rng(1, "init").next_u64(), Rng(1, "data", 1).next_u64()};
  EXPECT_EQ(firsts.size(), 4u);
  EXPECT_EQ(Rng(1, "data", 7).next_u64(), Rng(1, "data", 7).next_u64());
}

TEST(Rng, AStreamGoesOnFromAnyPosition) {
  Rng whole(5, "p");
  std::vector<uint32_t> words;
  for (int i = 0; i < 23; ++i) words.push_back(whole.next_u32());
  for (uint64_t at = 0; at < 23; ++at) {
    Rng later(5, "p");
    later.next_u32();
    later.seek(at);
    EXPECT_EQ(later.position(), at);
    EXPECT_EQ(later.next_u32(), words[at]) << at;
  }
}

TEST(Rng, UniformStaysBelowOneAndHasTheRightMoments) {
  Rng rng(1, "uniform");
  constexpr int kCount = 100000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kCount; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / kCount, 0.5, 0.004);  // 4.4 standard errors
  EXPECT_NEAR(squares / kCount, 1.0 / 3, 0.004);
}

TEST(Rng, BelowHitsEveryValueEquallyOften) {
  Rng rng(1, "below");
  constexpr int kCount = 70000;
  std::vector<int> hits(7);
  for (int i = 0; i < kCount; ++i) ++hits.at(rng.below(7));
  double chi_square = 0;
  for (const int hit : hits) chi_square += (hit - 10000.0) * (hit - 10000.0) / 10000;
  EXPECT_LT(chi_square, 27.9);  // 6 degrees of freedom, p = 1e-4
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, NormalHasTheRightMoments) {
  Rng rng(1, "normal");
  constexpr int kCount = 100000;
  double sum = 0, squares = 0, fourth = 0;
  for (int i = 0; i < kCount; ++i) {
    const double z = rng.normal();
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.014);
  EXPECT_NEAR(squares / kCount, 1, 0.02);
  EXPECT_NEAR(fourth / kCount, 3, 0.14);
}

TEST(Rng, ShuffleIsAPermutationAndMovesEveryPlace) {
  std::vector<int> items(100), sorted(100);
  std::iota(items.begin(), items.end(), 0);
  std::iota(sorted.begin(), sorted.end(), 0);
  Rng rng(3, "shuffle");
  rng.shuffle(items);
  EXPECT_NE(items, sorted);
  std::sort(items.begin(), items.end());
  EXPECT_EQ(items, sorted);
}

}  // namespace
}  // namespace cupel

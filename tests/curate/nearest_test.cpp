#include "curate/nearest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"
#include "support/reference_loops.h"

namespace cupel::curate {
namespace {

std::size_t at(int64_t i) { return static_cast<std::size_t>(i); }

/// Unit vectors in families of ten that lie close together.
std::vector<float> families(int64_t count, int64_t dim) {
  std::vector<float> vectors;
  for (int64_t i = 0; i < count; ++i) {
    Rng common(1, "family", static_cast<uint64_t>(i * 7 % (count / 10 + 1)));
    Rng own(2, "member", static_cast<uint64_t>(i));
    std::vector<double> vector(at(dim));
    double squares = 0;
    for (double& element : vector) {
      element = common.normal() + 0.45 * own.normal();
      squares += element * element;
    }
    for (const double element : vector)
      vectors.push_back(static_cast<float>(element / std::sqrt(squares)));
  }
  return vectors;
}

double cosine(const std::vector<float>& vectors, int64_t a, int64_t b, int64_t dim) {
  return dot(&vectors[at(a * dim)], &vectors[at(b * dim)], dim);
}

/// By every pair: the nearest of the vectors before `end`.
Neighbour nearest_of_all(const std::vector<float>& vectors, int64_t query, int64_t end, int64_t dim,
                         double least) {
  Neighbour best{-1, least};
  for (int64_t i = 0; i < end; ++i) {
    const double value = cosine(vectors, query, i, dim);
    if (value > best.cosine) best = {i, value};
  }
  return best;
}

struct Searched {
  std::vector<Neighbour> nearest;
  int64_t pairs = 0, compared = 0;
};

/// The last 300 among all others, which come in parts that fill no block.
Searched search(const std::vector<float>& vectors, int64_t dim, double least, int threads,
                int64_t memory) {
  ThreadPool pool(threads);
  const std::span<const float> all(vectors);
  const std::size_t held = vectors.size() - at(300 * dim);
  NearestVectors index(dim, LeadingDirections(all.first(at(500 * dim)), dim), memory, {}, pool);
  for (std::size_t begin = 0; begin < held; begin += at(500 * dim))
    index.add(all.subspan(begin, std::min(at(500 * dim), held - begin)));
  Searched searched;
  searched.nearest = index.nearest(all.subspan(held), least);
  searched.pairs = index.pairs();
  searched.compared = index.compared();
  return searched;
}

TEST(NearestVectors, AreThoseThatEveryPairGives) {
  constexpr int64_t kCount = 4900;
  for (const int64_t dim : {24, 160}) {
    const std::vector<float> vectors = families(kCount, dim);
    for (const double least : {-2.0, 0.85}) {
      const Searched searched = search(vectors, dim, least, 1, int64_t{1} << 30);
      int found = 0;
      for (int64_t i = 0; i < 300; ++i) {
        const Neighbour wanted =
            nearest_of_all(vectors, kCount - 300 + i, kCount - 300, dim, least);
        ASSERT_EQ(searched.nearest[at(i)].vector, wanted.vector) << dim << ", query " << i;
        ASSERT_NEAR(searched.nearest[at(i)].cosine, wanted.cosine, 1e-12);
        found += wanted.vector >= 0;
      }
      EXPECT_GT(found, 100);
      if (least > 0) {
        EXPECT_LT(found, 300);
        EXPECT_LT(searched.compared, searched.pairs / 20) << "the bound rules pairs out";
      }
    }
  }
}

TEST(NearestVectors, AreTheSameForAnyThreadsAndMemory) {
  const std::vector<float> vectors = families(4900, 160);
  const Searched one = search(vectors, 160, 0.85, 1, int64_t{1} << 30);
  for (const int threads : {2, 7}) {
    const Searched other = search(vectors, 160, 0.85, threads, int64_t{1} << 16);
    EXPECT_EQ(other.nearest, one.nearest);
    EXPECT_EQ(other.compared, one.compared);
  }
}

TEST(NearestVectors, NameTheFirstOfSeveralThatAreAsClose) {
  ThreadPool pool(2);
  NearestVectors index(2, {}, 1 << 20, {}, pool);
  index.add(std::vector<float>{0, 1, 1, 0, 1, 0});
  EXPECT_THAT(index.nearest(std::vector<float>{1, 0, 0, 1, -1, 0}, 1.0),
              testing::ElementsAre(Neighbour{1, 1}, Neighbour{0, 1}, Neighbour{-1, 1}));
}

TEST(NearestVectors, CloseOnesBeforeAreThoseThatEveryPairGives) {
  constexpr int64_t kCount = 700;
  ThreadPool pool(3);
  for (const int64_t dim : {24, 160}) {
    const std::vector<float> vectors = families(kCount, dim);
    NearestVectors index(dim, LeadingDirections(vectors, dim), 1 << 20, {}, pool);
    const auto close = index.close_before(vectors, 0.85);
    std::size_t pairs = 0;
    for (int64_t i = 0; i < kCount; ++i) {
      std::vector<int64_t> found, wanted;
      for (const Neighbour& neighbour : close[at(i)]) found.push_back(neighbour.vector);
      for (int64_t j = 0; j < i; ++j)
        if (cosine(vectors, i, j, dim) >= 0.85) wanted.push_back(j);
      ASSERT_EQ(found, wanted) << i;
      pairs += wanted.size();
    }
    EXPECT_GT(pairs, 100u);
  }
}

TEST(LeadingDirections, BoundEveryCosineWhateverTheyWereFoundIn) {
  constexpr int64_t kDim = 200, kCount = 100;
  ThreadPool pool(1);
  const std::vector<float> vectors = families(kCount, kDim);
  std::vector<float> alike;
  for (int64_t i = 0; i < kCount; ++i)
    alike.insert(alike.end(), vectors.begin(), vectors.begin() + kDim);
  for (const std::vector<float>& sample : {vectors, alike}) {
    const LeadingDirections leading(sample, kDim);
    ASSERT_EQ(leading.width(kDim), 64);
    const std::vector<float> forms = leading.shorten(vectors, kDim, pool);
    for (int64_t i = 0; i < kCount; ++i) {
      for (int64_t j = 0; j <= i; ++j)
        ASSERT_GE(cosine(forms, i, j, 64), cosine(vectors, i, j, kDim) - 1e-6) << i << ", " << j;
    }
  }
}

}  // namespace
}  // namespace cupel::curate

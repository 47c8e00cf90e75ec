#include "compress/gptq.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "data/cb4.h"
#include "data/gguf_types.h"
#include "support/errors.h"
#include "support/reference_loops.h"

namespace cupel::compress {
namespace {

std::size_t index(int64_t i) { return static_cast<std::size_t>(i); }

struct Floats {
  Floats(int64_t height, int64_t width) : rows(height), cols(width), items(index(height * width)) {}
  float& operator()(int64_t i, int64_t j) { return items[index(i * cols + j)]; }
  float operator()(int64_t i, int64_t j) const { return items[index(i * cols + j)]; }
  View<const float> view() const { return {items.data(), rows, cols, cols}; }
  int64_t rows, cols;
  std::vector<float> items;
};

Floats gaussian(int64_t rows, int64_t cols, uint64_t seed) {
  Floats result(rows, cols);
  Rng rng(seed, "gptq.gaussian");
  for (float& each : result.items) each = static_cast<float>(rng.normal());
  return result;
}

/// Activations as layers have them: a few directions carry most, columns differ in size.
Floats correlated(int64_t rows, int64_t cols, uint64_t seed) {
  const int64_t directions = cols / 4;
  const Floats factors = gaussian(rows, directions, seed);
  const Floats mixing = gaussian(cols, directions, seed + 1);
  Floats result = gaussian(rows, cols, seed + 2);
  Rng rng(seed, "gptq.columns");
  for (int64_t j = 0; j < cols; ++j) {
    const auto size = static_cast<float>(std::exp(0.5 * rng.normal()));
    for (int64_t i = 0; i < rows; ++i) {
      const double sum = dot(&factors.items[index(i * directions)],
                             &mixing.items[index(j * directions)], directions);
      result(i, j) = size * (0.5f * result(i, j) +
                             static_cast<float>(sum) / std::sqrt(static_cast<float>(directions)));
    }
  }
  return result;
}

HessianSum hessian_of(const Floats& x) {
  ThreadPool pool(2);
  HessianSum hessian(x.cols);
  hessian.add(x.view(), pool);
  return hessian;
}

std::vector<float> read(const std::vector<std::byte>& blocks) {
  std::vector<float> out(blocks.size() / cb4::kBlockBytes * cb4::kBlock);
  dequantise(GgufType::iq4_nl, blocks.data(), static_cast<int64_t>(out.size()), out.data());
  return out;
}

struct Rounded {
  std::vector<std::byte> blocks;
  GptqReport report;
};
Rounded rounded(const Floats& w, View<const double> hessian, const GptqSettings& settings,
                int threads = 2) {
  ThreadPool pool(threads);
  Rounded result{std::vector<std::byte>(index(w.rows * cb4::row_bytes(w.cols))), {}};
  result.report = gptq(w.view(), hessian, settings, result.blocks.data(), pool, "w");
  return result;
}

std::vector<std::byte> to_nearest(const Floats& w, const std::vector<float>& importance,
                                  int64_t group) {
  ThreadPool pool(2);
  std::vector<std::byte> blocks(index(w.rows * cb4::row_bytes(w.cols)));
  cb4::quantise(w.view(), importance, group, blocks.data(), pool, "w");
  return blocks;
}

/// ‖(W - Ŵ)·Xᵀ‖² over the rows of x.
double output_error(const Floats& w, const std::vector<std::byte>& blocks, const Floats& x) {
  const std::vector<float> back = read(blocks);
  double error = 0;
  std::vector<float> off(index(w.cols));
  for (int64_t i = 0; i < w.rows; ++i) {
    for (int64_t j = 0; j < w.cols; ++j) off[index(j)] = w(i, j) - back[index(i * w.cols + j)];
    for (int64_t r = 0; r < x.rows; ++r) {
      const double sum = dot(off.data(), x.items.data() + r * x.cols, w.cols);
      error += sum * sum;
    }
  }
  return error;
}

TEST(Gptq, FeedbackHalvesTheOutputsErrorAndTakesAThirdOfItAwayOnUnseenActivations) {
  constexpr int64_t kCols = 256, kSeen = 700, kUnseen = 300;
  const Floats w = gaussian(77, kCols, 1), x = correlated(kSeen + kUnseen, kCols, 2);
  Floats seen(kSeen, kCols), unseen(kUnseen, kCols);
  std::copy_n(x.items.begin(), kSeen * kCols, seen.items.begin());
  std::copy_n(x.items.begin() + kSeen * kCols, kUnseen * kCols, unseen.items.begin());
  const HessianSum hessian = hessian_of(seen);
  for (const int64_t group : {32, 64, 128, 256}) {
    if (kSanitized && group != 64) continue;
    const std::vector<std::byte> plain = to_nearest(w, hessian.mean_squares(), group);
    const std::vector<std::byte> mended = rounded(w, hessian.upper(), {.group = group}).blocks;
    // Measured 0.38 to 0.39, and 0.50 to 0.52.
    EXPECT_LT(output_error(w, mended, seen), 0.5 * output_error(w, plain, seen)) << group;
    EXPECT_LT(output_error(w, mended, unseen), 0.67 * output_error(w, plain, unseen)) << group;
  }
}

TEST(Gptq, WithoutCorrelationItIsRoundingToNearest) {
  constexpr int64_t kCols = 160;
  const Floats w = gaussian(9, kCols, 3);
  std::vector<double> identity(kCols * kCols);
  for (std::size_t i = 0; i < kCols; ++i) identity[i * kCols + i] = 1;
  for (const int64_t group : {32, 160}) {
    const Rounded result =
        rounded(w, {identity.data(), kCols, kCols, kCols}, {.group = group, .damping = 0});
    EXPECT_EQ(result.blocks, to_nearest(w, {}, group));
  }
}

TEST(Gptq, TheReportedErrorIsThatOfTheOutput) {
  const Floats w = gaussian(65, 96, 4), x = correlated(400, 96, 5);
  const HessianSum hessian = hessian_of(x);
  const Rounded result = rounded(w, hessian.upper(), {.damping = 1e-6});
  EXPECT_EQ(result.report.damping, 1e-6);
  EXPECT_NEAR(result.report.error / output_error(w, result.blocks, x), 1, 1e-3);
}

TEST(Gptq, DeadColumnsAreRoundedToNearestAndCountForNothing) {
  constexpr int64_t kCols = 96;
  Floats w = gaussian(5, kCols, 6), x = correlated(300, kCols, 7);
  for (int64_t i = 0; i < x.rows; ++i) x(i, 3) = x(i, 40) = 0;
  for (int64_t i = 0; i < w.rows; ++i) w(i, 3) = 1000;  // would ruin the scale of its group
  const HessianSum hessian = hessian_of(x);
  const Rounded result = rounded(w, hessian.upper(), {});
  EXPECT_EQ(result.report.dead_columns, 2);
  Floats without = w;
  for (int64_t i = 0; i < w.rows; ++i) without(i, 3) = 0;
  EXPECT_EQ(output_error(w, result.blocks, x),
            output_error(without, rounded(without, hessian.upper(), {}).blocks, x));
}

TEST(Gptq, ALayerThatNothingReachesIsRoundedToNearest) {
  const Floats w = gaussian(3, 64, 8);
  const HessianSum none(64);
  const Rounded result = rounded(w, none.upper(), {.group = 64});
  EXPECT_EQ(result.report.dead_columns, 64);
  EXPECT_EQ(result.report.error, 0);
  EXPECT_EQ(result.blocks, to_nearest(w, {}, 64));
}

TEST(Gptq, DampingGrowsUntilTheHessianHasAFactor) {
  const Floats w = gaussian(4, 64, 9), x = gaussian(7, 64, 10);  // rank 7 of 64
  const Rounded result = rounded(w, hessian_of(x).upper(), {.damping = 0});
  EXPECT_GT(result.report.damping, 0);
  EXPECT_LE(result.report.damping, 1e-4);
  EXPECT_LT(output_error(w, result.blocks, x), output_error(w, to_nearest(w, {}, 32), x));
}

TEST(Gptq, AHessianOfNoActivationsIsRefused) {
  const Floats w = gaussian(2, 32, 11);
  std::vector<double> hessian(32 * 32);
  for (std::size_t i = 0; i < 32; ++i) hessian[i * 32 + i] = 1;
  const auto refused = [&](std::size_t at, double value, const char* text) {
    std::vector<double> bad = hessian;
    bad[at] = value;
    EXPECT_THAT(
        [&] {
          rounded(w, {bad.data(), 32, 32, 32}, {});
        },
        throws_error(ErrorKind::numeric, text));
  };
  refused(5 * 32 + 9, std::nan(""), "w: the activations' second moment of columns 5 and 9 is nan");
  refused(4 * 32 + 4, -1, "w: the activations' second moment of columns 4 and 4 is -1");
  refused(31, 1e12, "w: the activations' second moments fit no activations");
}

TEST(Gptq, WeightsThatAreNotFiniteAreRefused) {
  Floats w = gaussian(2, 32, 12);
  w(1, 30) = std::numeric_limits<float>::infinity();
  const HessianSum none(32);
  EXPECT_THAT([&] { rounded(w, none.upper(), {}); },
              throws_error(ErrorKind::data, "w: row 1, column 30 is inf"));
}

TEST(Gptq, OneTwoAndThreeThreadsGiveTheSameBytes) {
  const Floats w = gaussian(150, 256, 13), x = correlated(700, 256, 14);
  std::vector<Rounded> results;
  std::vector<std::vector<double>> sums;
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    HessianSum hessian(256);
    hessian.add({x.items.data(), 300, 256, 256}, pool);
    hessian.add({x.items.data() + 300 * 256, 400, 256, 256}, pool);
    EXPECT_EQ(hessian.rows(), 700);
    results.push_back(rounded(w, hessian.upper(), {.group = 256}, threads));
    sums.emplace_back(hessian.upper().data, hessian.upper().data + 256 * 256);
  }
  EXPECT_EQ(results[0].blocks, results[1].blocks);
  EXPECT_EQ(results[0].blocks, results[2].blocks);
  EXPECT_EQ(results[0].report.error, results[2].report.error);
  EXPECT_EQ(sums[0], sums[1]);
  EXPECT_EQ(sums[0], sums[2]);
}

TEST(HessianSum, IsTwiceTheSumOfProductsWhateverTheBatches) {
  const Floats x = correlated(600, 70, 15);
  ThreadPool pool(2);
  HessianSum hessian(70);
  EXPECT_EQ(hessian.mean_squares(), std::vector<float>(70, 1.0f));
  hessian.add({x.items.data(), 1, 70, 70}, pool);
  hessian.add({x.items.data() + 70, 599, 70, 70}, pool);
  for (int64_t i = 0; i < 70; ++i) {
    for (int64_t j = i; j < 70; ++j) {
      double sum = 0, size = 0;
      for (int64_t r = 0; r < x.rows; ++r) {
        sum += 2.0 * x(r, i) * x(r, j);
        size += 2.0 * std::abs(x(r, i) * x(r, j));
      }
      ASSERT_NEAR(hessian.upper()(i, j), sum, 1e-6 * size) << i << ", " << j;
    }
    EXPECT_NEAR(hessian.mean_squares()[index(i)] * 2 * 600 / hessian.upper()(i, i), 1, 1e-6);
  }
}

}  // namespace
}  // namespace cupel::compress

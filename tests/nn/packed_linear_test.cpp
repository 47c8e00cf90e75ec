#include "nn/packed_linear.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/rng.h"

namespace cupel::nn {
namespace {

constexpr int64_t kRows = 37, kIn = 128, kOut = 70;

std::vector<float> draw(std::string_view name, int64_t count) {
  Rng rng(3, name);
  std::vector<float> values;
  for (int64_t i = 0; i < count; ++i) values.push_back(static_cast<float>(rng.normal()));
  return values;
}

struct Format {
  const char* name;
  NumberFormat format;
  double error;  // of the product, over its size
};

class LinearFormats : public testing::TestWithParam<Format> {
 protected:
  std::vector<float> product(int64_t row, int64_t rows, bool accumulate = false) {
    LinearInput input;
    input.bind(GetParam().format, x_.data(), kRows, kIn);
    input.take(0, 16);
    input.take(16, kRows - 16);
    std::vector<float> y(static_cast<std::size_t>(rows * kOut), 1.0f);
    LinearScratch scratch;
    input.multiply(row, rows, linear_, y.data(), kOut, accumulate, scratch);
    return y;
  }

  const std::vector<float> x_ = draw("x", kRows*kIn), weight_ = draw("weight", kOut*kIn);
  const PackedLinear linear_ =
      make_linear(weight_, std::vector<float>(kOut), kIn, GetParam().format, "w");
};

TEST_P(LinearFormats, ComesAsNearToTheExactProductAsItsBitsAllow) {
  const std::vector<float> y = product(0, kRows);
  double error = 0, size = 0;
  for (int64_t i = 0; i < kRows; ++i)
    for (int64_t j = 0; j < kOut; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < kIn; ++p)
        sum += static_cast<double>(x_[static_cast<std::size_t>(i * kIn + p)]) *
               static_cast<double>(weight_[static_cast<std::size_t>(j * kIn + p)]);
      error += std::pow(static_cast<double>(y[static_cast<std::size_t>(i * kOut + j)]) - sum, 2);
      size += sum * sum;
    }
  EXPECT_LT(std::sqrt(error / size), GetParam().error);
}

TEST_P(LinearFormats, SomeRowsAloneHaveTheBitsOfAll) {
  const std::vector<float> all = product(0, kRows), some = product(16, 9);
  EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin() + 16 * kOut));
}

TEST_P(LinearFormats, AccumulatingAddsToWhatIsThere) {
  const std::vector<float> fresh = product(0, kRows), added = product(0, kRows, true);
  for (std::size_t i = 0; i < fresh.size(); ++i) EXPECT_NEAR(added[i], fresh[i] + 1, 1e-4);
}

INSTANTIATE_TEST_SUITE_P(
    , LinearFormats,
    testing::Values(Format{"f32", {}, 1e-6}, Format{"bf16", {Element::bf16}, 5e-3},
                    Format{"int8", {Element::bf16, LinearFormat::int8}, 0.02},
                    Format{"cb4_32", {Element::f32, LinearFormat::cb4}, 0.08},
                    Format{"cb4_128", {Element::f32, LinearFormat::cb4, 128}, 0.1}),
    [](const testing::TestParamInfo<Format>& tested) { return std::string(tested.param.name); });

}  // namespace
}  // namespace cupel::nn

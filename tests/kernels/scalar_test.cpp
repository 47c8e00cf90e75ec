#include <cstring>

#include "kernels/every_row.h"

namespace cupel {
namespace {

/// The value of a binary16 by its definition (IEEE 754-2019, 3.4).
double value_of_f16(int bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -magnitude : magnitude;
}

TEST(ScalarRow, ReadsEveryFiniteHalfFloatAsItsDefinition) {
  for (int i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    float value;
    scalar_row().from_16bit(&bits, Element::f16, &value, 1);
    if ((i & 0x7c00) != 0x7c00) {
      ASSERT_EQ(static_cast<double>(value), value_of_f16(i));
      ASSERT_EQ(std::signbit(value), i >= 0x8000);
    } else {
      ASSERT_EQ(std::isinf(value), (i & 0x3ff) == 0);
      ASSERT_EQ(std::isnan(value), (i & 0x3ff) != 0);
    }
  }
}

uint16_t half(double x) {
  const auto value = static_cast<float>(x);
  uint16_t bits;
  scalar_row().to_16bit(&value, &bits, Element::f16, 1);
  return bits;
}

TEST(ScalarRow, RoundsToTheNearestHalfFloatTiesToEven) {
  for (int i = 0; i < 0x7c00; ++i) {  // the last step leads to 65536, where infinity stands
    const double low = value_of_f16(i), high = i == 0x7bff ? 65536 : value_of_f16(i + 1),
                 middle = (low + high) / 2;
    const int even = i % 2 == 0 ? i : i + 1;
    ASSERT_EQ(half(low), i);
    ASSERT_EQ(half(middle), even);
    ASSERT_EQ(half(middle * (1 - 1e-7)), i);
    ASSERT_EQ(half(middle * (1 + 2e-7)), i + 1);
    ASSERT_EQ(half(-middle), even | 0x8000);
  }
  EXPECT_EQ(half(1e30), 0x7c00);
  EXPECT_EQ(half(-INFINITY), 0xfc00);
  EXPECT_EQ(half(NAN) & 0x7e00, 0x7e00);
  EXPECT_EQ(half(1e-30), 0);
}

TEST(ScalarRow, RoundsBfloat16TiesToEvenAndKeepsNan) {
  const auto rounded = [](uint32_t bits) {
    float x;
    uint16_t result;
    std::memcpy(&x, &bits, 4);
    scalar_row().to_16bit(&x, &result, Element::bf16, 1);
    return result;
  };
  EXPECT_EQ(rounded(0x3f800000), 0x3f80);
  EXPECT_EQ(rounded(0x3f808000), 0x3f80);
  EXPECT_EQ(rounded(0x3f808001), 0x3f81);
  EXPECT_EQ(rounded(0x3f818000), 0x3f82);
  EXPECT_EQ(rounded(0x7f7fffff), 0x7f80);
  EXPECT_EQ(rounded(0x7f800001), 0x7fc0);  // a NaN whose payload lies in the lower half
}

TEST(ScalarRow, MultipliesMatricesAsTheDefinitionSays) {
  const float a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12};
  float c[4] = {1000, 1000, 1000, 1000};
  GemmArgs args = {2, 2, 3, a, 3, 1, Element::f32, b, 2, 1, Element::f32, c, 2, Element::f32, true};
  scalar_row().gemm(args, nullptr);
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{1058, 1064, 1139, 1154}));
  args.a_row_stride = 1;
  args.a_col_stride = 2;
  args.accumulate = false;
  scalar_row().gemm(args, nullptr);
  EXPECT_EQ(std::vector<float>(c, c + 4), (std::vector<float>{89, 98, 116, 128}));
}

TEST(ScalarRow, TakesTheFirstAdamwStepOfKnownSize) {
  // After one step from zero the corrected moments are g and g²: the step is the learning rate.
  float parameter = 2, first = 0, second = 0;
  const float gradient = 8;
  scalar_row().adamw({1, &parameter, &gradient, &first, &second, 0.5f, 0.01, 0.9, 0.999, 0, 0.1,
                      1 - 0.9, 1 - 0.999});
  EXPECT_FLOAT_EQ(parameter, 2 * (1 - 0.001f) - 0.01f);
  EXPECT_FLOAT_EQ(first, 0.4f);
  EXPECT_FLOAT_EQ(second, 0.016f);
}

/// (f(x + h) - f(x - h)) / 2h against the row's own backward pass.
TEST(ScalarRow, DifferentiatesSwiglu) {
  const int64_t cols = 4;
  Floats x(2 * cols, 1), y(cols, 0), grad(2 * cols, 0);
  Floats ones(cols, 0);
  for (int64_t i = 0; i < cols; ++i) ones[i] = 1;
  scalar_row().swiglu_backward(x.data(), ones.data(), grad.data(), 1, cols);
  const auto total = [&](int64_t at, float shift) {
    Floats moved = x;
    moved[at] += shift;
    scalar_row().swiglu(moved.data(), y.data(), 1, cols);
    return y[0] + y[1] + y[2] + y[3];
  };
  for (int64_t i = 0; i < 2 * cols; ++i)
    EXPECT_NEAR(grad[i], (total(i, 0.01f) - total(i, -0.01f)) / 0.02f, 1e-3f) << i;
}

TEST(ScalarRow, DifferentiatesTheNorm) {
  const int64_t cols = 5;
  const Floats x(cols, 1), weight(cols, 2), grad_y(cols, 3);
  Floats y(cols, 0), inv_rms(1, 0), grad_x(cols, 0), grad_weight(cols, 0);
  for (int64_t i = 0; i < cols; ++i) grad_weight[i] = 0;
  scalar_row().rms_norm(x.data(), cols, weight.data(), 1e-5f, y.data(), inv_rms.data(), 1, cols);
  scalar_row().rms_norm_backward(x.data(), cols, weight.data(), inv_rms.data(), grad_y.data(),
                                 grad_x.data(), grad_weight.data(), 1, cols);
  const auto loss = [&](const Floats& moved) {
    Floats rms(1, 0);
    scalar_row().rms_norm(moved.data(), cols, weight.data(), 1e-5f, y.data(), rms.data(), 1, cols);
    double sum = 0;
    for (int64_t i = 0; i < cols; ++i) sum += y[i] * grad_y[i];
    return sum;
  };
  for (int64_t i = 0; i < cols; ++i) {
    Floats up = x, down = x;
    up[i] += 0.01f;
    down[i] -= 0.01f;
    EXPECT_NEAR(grad_x[i], (loss(up) - loss(down)) / 0.02, 2e-3) << i;
    EXPECT_NEAR(grad_weight[i], grad_y[i] * x[i] * inv_rms[0], 1e-5f);
  }
}

TEST(ScalarRow, TakesTheSmallestOfAllMultiplyShiftHashes) {
  const uint64_t hashes[] = {3, 10, 7}, factors[] = {UINT64_C(1) << 32 | 1, UINT64_C(1) << 62},
                 offsets[] = {0, UINT64_C(5) << 32};
  uint32_t minima[2];
  scalar_row().minhash(hashes, 3, factors, offsets, minima, 2);
  EXPECT_EQ(minima[0], 3u);               // 3·2^32 + 3
  EXPECT_EQ(minima[1], (2u << 30) + 5u);  // 10 mod 4 quarters; 3 and 7 give three
  scalar_row().minhash(hashes, 0, factors, offsets, minima, 2);
  EXPECT_EQ(minima[0], UINT32_MAX);
}

}  // namespace
}  // namespace cupel

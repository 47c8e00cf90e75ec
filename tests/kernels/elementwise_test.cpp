#include <bit>
#include <cfloat>
#include <cmath>
#include <cstring>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class Elementwise : public EveryRow {};

constexpr int64_t kSizes[] = {0, 1, 7, 8, 9, 16, 31, 100, 1003};

TEST_P(Elementwise, ReadsAllSixteenBitValuesExactly) {
  std::vector<uint16_t> bits(65536);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint16_t>(i);
  for (const Element type : {Element::f16, Element::bf16}) {
    Floats actual(65536, 0), expected(65536, 0);
    row->from_16bit(bits.data(), type, actual.data(), 65536);
    scalar_row().from_16bit(bits.data(), type, expected.data(), 65536);
    for (int64_t i = 0; i < 65536; ++i) {
      if (std::isnan(expected[i])) {
        ASSERT_TRUE(std::isnan(actual[i])) << i;
      } else {
        ASSERT_EQ(std::bit_cast<uint32_t>(actual[i]), std::bit_cast<uint32_t>(expected[i])) << i;
      }
    }
    EXPECT_TRUE(actual.guarded());
  }
}

TEST_P(Elementwise, RoundsToSixteenBitsAsTheScalarRowDoes) {
  // Each float pattern's upper 17 bits with ties, near ties and other low bits.
  std::vector<float> x;
  for (uint32_t high = 0; high < (1u << 17); ++high)
    for (const uint32_t low : {0u, 1u, 0x1000u, 0x1001u, 0x0fffu, 0x3000u, 0x7fffu})
      x.push_back(std::bit_cast<float>((high << 15) | low));
  const auto size = static_cast<int64_t>(x.size());
  for (const Element type : {Element::f16, Element::bf16}) {
    std::vector<uint16_t> actual(x.size()), expected(x.size());
    row->to_16bit(x.data(), actual.data(), type, size);
    scalar_row().to_16bit(x.data(), expected.data(), type, size);
    for (size_t i = 0; i < x.size(); ++i) {
      const uint16_t infinity = type == Element::f16 ? 0x7c00 : 0x7f80;
      if (std::isnan(x[i])) {
        ASSERT_GT(actual[i] & 0x7fff, infinity) << x[i];
      } else {
        ASSERT_EQ(actual[i], expected[i]) << x[i];
      }
    }
  }
}

TEST_P(Elementwise, ConvertsTailsWithoutTouchingWhatFollows) {
  for (const int64_t size : kSizes) {
    const Floats x(size, 1);
    std::vector<uint16_t> bits(static_cast<size_t>(size) + 1, 0xabcd);
    Floats back(size, 2);
    row->to_16bit(x.data(), bits.data(), Element::bf16, size);
    EXPECT_EQ(bits.back(), 0xabcd);
    row->from_16bit(bits.data(), Element::bf16, back.data(), size);
    expect_near(back, x, 0x1p-8f, 0);
  }
}

TEST_P(Elementwise, TakesTheAdamwStep) {
  for (const int64_t size : kSizes) {
    for (const double beta1 : {0.9, 0.3}) {
      const Floats gradient(size, 1);
      Floats actual[3] = {{size, 2}, {size, 3}, {size, 4}};
      for (int64_t i = 0; i < size; ++i) actual[2][i] = std::abs(actual[2][i]);
      Floats expected[3] = {actual[0], actual[1], actual[2]};
      AdamWArgs args = {
          size, nullptr, gradient.data(),   nullptr,        nullptr, 0.125f, 1e-3, beta1, 0.95,
          1e-8, 0.1,     1 - beta1 * beta1, 1 - 0.95 * 0.95};
      const auto step = [&](const Kernels& kernels, Floats* state) {
        args.parameter = state[0].data();
        args.first_moment = state[1].data();
        args.second_moment = state[2].data();
        kernels.adamw(args);
      };
      step(*row, actual);
      step(scalar_row(), expected);
      for (int i = 0; i < 3; ++i) expect_near(actual[i], expected[i], 1e-6f, 2e-7f);
    }
  }
}

TEST_P(Elementwise, SumsSquaresToAFiniteNumberExactlyWhereEveryValueIsFinite) {
  for (const int64_t size : kSizes) {
    if (size == 0) continue;
    for (const int64_t at : {int64_t{0}, size / 2, size - 1}) {
      Floats x(size, 2, FLT_MAX / 16);
      x[at] = FLT_MAX;
      EXPECT_TRUE(std::isfinite(row->sum_of_squares(x.data(), size))) << at << " of " << size;
      for (const float bad : {INFINITY, -INFINITY, NAN}) {
        x[at] = bad;
        EXPECT_FALSE(std::isfinite(row->sum_of_squares(x.data(), size)))
            << bad << " at " << at << " of " << size;
      }
    }
  }
}

TEST_P(Elementwise, SumsSquaresToTheSameBitsOnEveryRow) {
  for (const int64_t size : kSizes) {
    const Floats x(size, 1, 1e3f);
    EXPECT_EQ(row->sum_of_squares(x.data(), size), scalar_row().sum_of_squares(x.data(), size))
        << size;
  }
}

TEST_P(Elementwise, GatesWithSwigluForwardAndBackward) {
  for (const int64_t cols : {1, 5, 8, 24, 37}) {
    const int64_t rows = 3;
    const Floats x(rows * 2 * cols, 1, 4.0f), grad(rows * cols, 2);
    Floats actual(rows * cols, 3), expected(rows * cols, 3);
    row->swiglu(x.data(), actual.data(), rows, cols);
    scalar_row().swiglu(x.data(), expected.data(), rows, cols);
    expect_near(actual, expected, 1e-6f, 1e-12f);
    Floats actual_grad(rows * 2 * cols, 4), expected_grad(rows * 2 * cols, 4);
    row->swiglu_backward(x.data(), grad.data(), actual_grad.data(), rows, cols);
    scalar_row().swiglu_backward(x.data(), grad.data(), expected_grad.data(), rows, cols);
    expect_near(actual_grad, expected_grad, 2e-6f, 1e-6f);
  }
}

TEST_P(Elementwise, SaturatesSwigluAtBothEndsAndKeepsNan) {
  const Floats shape(20, 0);
  Floats x = shape, y(10, 0);
  const float gates[] = {-1000, -100, -89, -50, 0, 50, 89, 1000, NAN, -INFINITY};
  for (int64_t i = 0; i < 10; ++i) {
    x[i] = gates[i];
    x[10 + i] = 1.0f;
  }
  row->swiglu(x.data(), y.data(), 1, 10);
  for (const int64_t i : {0, 1, 2, 3}) EXPECT_NEAR(y[i], 0.0f, 1e-20f) << x[i];
  for (const int64_t i : {4, 5, 6, 7}) EXPECT_EQ(y[i], x[i]);
  EXPECT_TRUE(std::isnan(y[8]));
}

TEST_P(Elementwise, RotatesPairsAndTurnsBack) {
  for (const int64_t cols : {2, 6, 8, 16, 24, 64, 66}) {
    for (const int32_t interleaved : {0, 1}) {
      const int64_t rows = 4, stride = cols + 3;
      const Floats x(rows * stride, 1), angle(rows * cols / 2, 2);
      Floats cosine = angle, sine = angle;
      for (int64_t i = 0; i < angle.size(); ++i) {
        cosine[i] = std::cos(angle[i]);
        sine[i] = std::sin(angle[i]);
      }
      Floats actual = x, expected = x;
      const auto rotate = [&](const Kernels& kernels, float sign, Floats& in_place) {
        kernels.rope(in_place.data(), stride, cosine.data(), sine.data(), sign, interleaved,
                     in_place.data(), stride, rows, cols);
      };
      rotate(*row, 1, actual);
      rotate(scalar_row(), 1, expected);
      expect_near(actual, expected, 1e-6f, 1e-6f);
      rotate(*row, -1, actual);
      expect_near(actual, x, 1e-6f, 1e-6f);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, Elementwise, every_row_name(), row_label);

}  // namespace
}  // namespace cupel

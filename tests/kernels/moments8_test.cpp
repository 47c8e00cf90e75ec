#include <cmath>
#include <vector>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class Moments8 : public EveryRow {};

constexpr int64_t kMomentSizes[] = {0, 1, 7, 16, 31, 255, 256, 257, 1003};

/// Parameters with the state of both moments in bytes.
struct State8 {
  explicit State8(int64_t count)
      : size(count),
        parameter(count, 2),
        first(static_cast<size_t>(count) + 1, 128),
        second(static_cast<size_t>(count) + 1, 0),
        first_scale(static_cast<size_t>(count / kMomentBlock) + 2, 0),
        second_scale(first_scale) {}

  void step(const Kernels& kernels, const void* gradient, Element type, double t) {
    AdamW8Args args{};
    args.step = {size,
                 parameter.data(),
                 nullptr,
                 nullptr,
                 nullptr,
                 0.5f,
                 1e-3,
                 0.9,
                 0.95,
                 1e-8,
                 0.1,
                 1 - std::pow(0.9, t),
                 1 - std::pow(0.95, t)};
    args.gradient = gradient;
    args.gradient_type = type;
    args.first_moment = first.data();
    args.second_moment = second.data();
    args.first_scale = first_scale.data();
    args.second_scale = second_scale.data();
    kernels.adamw8(args);
  }

  int64_t size;
  Floats parameter;
  std::vector<uint8_t> first, second;
  std::vector<float> first_scale, second_scale;
};

TEST_P(Moments8, TakesTheScalarRowsStepWithinACode) {
  for (const int64_t size : kMomentSizes) {
    State8 actual(size), expected(size);
    for (int t = 1; t <= 3; ++t) {
      // A spread of seven decades: the codes must reach it.
      Floats gradient(size, static_cast<uint32_t>(t));
      for (int64_t i = 0; i < size; ++i) gradient[i] *= std::pow(10.0f, static_cast<float>(-i % 7));
      actual.step(*row, gradient.data(), Element::f32, t);
      expected.step(scalar_row(), gradient.data(), Element::f32, t);
      for (int64_t i = 0; i < size; ++i) {
        const auto at = static_cast<size_t>(i);
        ASSERT_NEAR(actual.first[at], expected.first[at], 1) << i << " of " << size;
        ASSERT_NEAR(actual.second[at], expected.second[at], 1) << i << " of " << size;
      }
      // The next steps begin alike.
      actual.first = expected.first;
      actual.second = expected.second;
      actual.first_scale = expected.first_scale;
      actual.second_scale = expected.second_scale;
      expect_near(actual.parameter, expected.parameter, 1e-5f, 1e-7f);
    }
    EXPECT_TRUE(actual.parameter.guarded());
    EXPECT_EQ(actual.first.back(), 128) << "wrote past the end";
    EXPECT_EQ(actual.second.back(), 0) << "wrote past the end";
  }
}

TEST_P(Moments8, ReadsGradientsOfSixteenBits) {
  State8 actual(300), expected(300);
  Floats gradient(300, 5);
  std::vector<uint16_t> bits(300);
  row->to_16bit(gradient.data(), bits.data(), Element::bf16, 300);
  row->from_16bit(bits.data(), Element::bf16, gradient.data(), 300);
  actual.step(*row, bits.data(), Element::bf16, 1);
  expected.step(*row, gradient.data(), Element::f32, 1);
  EXPECT_EQ(actual.first, expected.first);
  EXPECT_EQ(actual.second, expected.second);
  expect_near(actual.parameter, expected.parameter, 0, 0);
}

TEST_P(Moments8, NoElementWithAGradientLosesItsSecondMoment) {
  State8 state(256);
  Floats gradient(256, 1);
  for (int64_t i = 0; i < 256; ++i) gradient[i] = i == 0 ? 1e4f : 1e-6f;
  state.step(*row, gradient.data(), Element::f32, 1);
  for (const size_t i : {size_t{1}, size_t{255}}) EXPECT_EQ(state.second[i], 1);
}

TEST_P(Moments8, ZerosStayZeros) {
  State8 state(300);
  Floats gradient(300, 1, 0.0f);
  state.step(*row, gradient.data(), Element::f32, 1);
  for (size_t i = 0; i < 300; ++i) {
    ASSERT_EQ(state.first[i], 128);
    ASSERT_EQ(state.second[i], 0);
  }
  EXPECT_EQ(state.first_scale[0], 0);
}

/// How far moments of a byte lead away from full ones, over how far those lead: 200 steps on
/// parabolas whose scales span `decades` decades in every block, noise and all.
double drift(const Kernels& kernels, int decades) {
  constexpr int64_t kSize = 512;
  State8 state(kSize);
  Floats parameter(kSize, 2), first(kSize, 0, 0.0f), second(kSize, 0, 0.0f);
  const Floats start(kSize, 2);
  for (int t = 1; t <= 200; ++t) {
    const Floats noise(kSize, static_cast<uint32_t>(t), 0.1f);
    Floats of_bytes(kSize, 0), of_floats(kSize, 0);
    for (int64_t i = 0; i < kSize; ++i) {
      const float scale = std::pow(10.0f, static_cast<float>(-i % (decades + 1)));
      of_bytes[i] = scale * (state.parameter[i] + noise[i]);
      of_floats[i] = scale * (parameter[i] + noise[i]);
    }
    state.step(kernels, of_bytes.data(), Element::f32, t);
    kernels.adamw({kSize, parameter.data(), of_floats.data(), first.data(), second.data(), 0.5f,
                   1e-3, 0.9, 0.95, 1e-8, 0.1, 1 - std::pow(0.9, t), 1 - std::pow(0.95, t)});
  }
  double apart = 0, moved = 0;
  for (int64_t i = 0; i < kSize; ++i) {
    apart += std::pow(state.parameter[i] - parameter[i], 2);
    moved += std::pow(start[i] - parameter[i], 2);
  }
  return std::sqrt(apart / moved);
}

TEST_P(Moments8, DriftsFromFullMomentsByTwoPercentAndByTenWhereABlockSpansThreeDecades) {
  EXPECT_LT(drift(*row, 0), 0.02);
  EXPECT_LT(drift(*row, 3), 0.1);
}

INSTANTIATE_TEST_SUITE_P(Rows, Moments8, every_row_name(), row_label);

}  // namespace
}  // namespace cupel

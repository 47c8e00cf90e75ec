#include "augment/mlp.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::augment {
namespace {

Mlp network(std::vector<int64_t> hidden = {20, 8}) { return Mlp(5, hidden, Rng(1, "test")); }

std::vector<float> rows(const Mlp& mlp, int64_t count, uint64_t seed = 2) {
  Rng rng(seed, "rows");
  std::vector<float> x(static_cast<std::size_t>(count * mlp.width()));
  for (int64_t r = 0; r < count; ++r)
    for (int64_t i = 0; i < mlp.inputs(); ++i)
      x[static_cast<std::size_t>(r * mlp.width() + i)] = static_cast<float>(2 * rng.uniform() - 1);
  return x;
}

/// The same network in double, from its layers as files have them.
double by_definition(const Mlp& mlp, const float* row) {
  std::vector<double> x(row, row + mlp.inputs());
  const auto layers = mlp.layers();
  for (std::size_t l = 0; l < layers.size(); ++l) {
    std::vector<double> y;
    for (int64_t o = 0; o < layers[l].out; ++o) {
      double sum = layers[l].bias[static_cast<std::size_t>(o)];
      for (int64_t i = 0; i < layers[l].in; ++i)
        sum +=
            x[static_cast<std::size_t>(i)] *
            static_cast<double>(layers[l].weight[static_cast<std::size_t>(o * layers[l].in + i)]);
      y.push_back(l + 1 < layers.size() ? std::max(sum, 0.0) : sum);
    }
    x = y;
  }
  return x[0];
}

TEST(Mlp, TheSigmoidIsThatOfTheDefinition) {
  for (float x = -30; x < 30; x += 0.37f) {
    const double expected = 1 / (1 + std::exp(-static_cast<double>(x)));
    EXPECT_NEAR(sigmoid(x), expected, 4e-7 * expected) << x;
  }
  EXPECT_EQ(sigmoid(0), 0.5f);
  EXPECT_EQ(sigmoid(200), 1);
  EXPECT_GE(sigmoid(-200), 0);
}

TEST(Mlp, ForwardIsThatOfTheDefinition) {
  const Mlp mlp = network();
  const auto x = rows(mlp, 7);
  Mlp::Pass pass;
  mlp.forward(x.data(), 7, pass);
  for (int64_t r = 0; r < 7; ++r)
    EXPECT_NEAR(pass.logits[static_cast<std::size_t>(r)],
                by_definition(mlp, &x[static_cast<std::size_t>(r * mlp.width())]), 1e-6);
}

TEST(Mlp, TheGradientByInputIsTheDifferenceQuotient) {
  const Mlp mlp = network();
  auto x = rows(mlp, 3);
  Mlp::Pass pass;
  mlp.forward(x.data(), 3, pass);
  const std::vector<float> grad_logits = {1, -2, 0.5f};
  std::vector<float> grad(x.size());
  mlp.backward_to_input(grad_logits.data(), 3, pass, grad.data());
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t i = 0; i < 5; ++i) {
      const std::size_t at = r * static_cast<std::size_t>(mlp.width()) + i;
      const float kept = x[at];
      const auto value = [&](float moved) {
        x[at] = moved;
        return by_definition(mlp, &x[r * static_cast<std::size_t>(mlp.width())]);
      };
      const double slope = (value(kept + 1e-3f) - value(kept - 1e-3f)) / 2e-3;
      x[at] = kept;
      EXPECT_NEAR(grad[at], grad_logits[r] * slope, 2e-3) << r << ", " << i;
    }
  }
}

TEST(Mlp, LearnsARuleThatNoLineDrawsAndKeepsItsPaddingZero) {
  Mlp mlp(2, {16}, Rng(3, "xor"));
  const auto x = rows(mlp, 256, 5);
  Mlp::Pass pass;
  std::vector<float> grad(256);
  const auto label = [&](std::size_t r) { return x[r * 16] * x[r * 16 + 1] > 0 ? 1.0f : 0.0f; };
  for (int step = 0; step < 600; ++step) {
    mlp.forward(x.data(), 256, pass);
    for (std::size_t r = 0; r < 256; ++r) grad[r] = (sigmoid(pass.logits[r]) - label(r)) / 256;
    mlp.backward(x.data(), grad.data(), 256, pass);
    mlp.adamw_step(pass.parameter_grads, 1e-2f, 0);
  }
  mlp.forward(x.data(), 256, pass);
  int right = 0;
  for (std::size_t r = 0; r < 256; ++r) right += (pass.logits[r] > 0) == (label(r) > 0.5f);
  EXPECT_GT(right, 245);
  for (std::size_t unused = 2 * 16; unused < 16 * 16; ++unused)
    ASSERT_EQ(mlp.parameters()[unused], 0);
}

TEST(Mlp, GradientsOfTwoPassesAddUp) {
  const Mlp mlp = network();
  const auto x = rows(mlp, 4);
  const std::vector<float> grad = {1, 1, 1, 1};
  Mlp::Pass whole, parts;
  mlp.forward(x.data(), 4, whole);
  mlp.backward(x.data(), grad.data(), 4, whole);
  const float* second = x.data() + 2 * mlp.width();
  mlp.forward(x.data(), 2, parts);
  mlp.backward(x.data(), grad.data(), 2, parts);
  mlp.forward(second, 2, parts);
  mlp.backward(second, grad.data(), 2, parts, true);
  for (std::size_t i = 0; i < whole.parameter_grads.size(); ++i)
    ASSERT_NEAR(parts.parameter_grads[i], whole.parameter_grads[i], 1e-5) << i;
}

TEST(Mlp, TheFirstStepOfAdamIsTheLearningRateAgainstTheSign) {
  Mlp mlp = network();
  const std::vector<float> before(mlp.parameters().begin(), mlp.parameters().end());
  std::vector<float> grads(before.size(), 0);
  grads[0] = 3;
  grads[1] = -0.02f;
  mlp.adamw_step(grads, 0.01f, 0);
  EXPECT_NEAR(mlp.parameters()[0], before[0] - 0.01f, 1e-6);
  EXPECT_NEAR(mlp.parameters()[1], before[1] + 0.01f, 1e-6);
  EXPECT_EQ(mlp.parameters()[2], before[2]);
}

TEST(Mlp, WeightDecayShrinksEveryParameterByTheLearningRatesShare) {
  Mlp mlp = network();
  const std::vector<float> before(mlp.parameters().begin(), mlp.parameters().end());
  std::vector<float> grads(before.size(), 0);
  grads[0] = 3;
  mlp.adamw_step(grads, 0.01f, 0.5f);
  EXPECT_NEAR(mlp.parameters()[0], 0.995f * before[0] - 0.01f, 1e-6);
  for (std::size_t i = 1; i < before.size(); ++i)
    ASSERT_FLOAT_EQ(mlp.parameters()[i], 0.995f * before[i]) << i;
}

}  // namespace
}  // namespace cupel::augment

#include "augment/attack.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::augment {
namespace {

constexpr int64_t kRows = 64;
constexpr Method kGradientMethods[] = {Method::fgsm, Method::fgsm_rs, Method::pgd};

struct Scene {
  std::vector<Feature> features;
  Mlp network{4, {16}, Rng(1, "network")};
  std::vector<float> x;
  std::vector<uint8_t> labels;
  AttackSpace space;

  Scene() {
    for (int i = 0; i < 4; ++i) {
      Feature feature;
      feature.mean = 2;
      feature.low = -100;
      feature.high = 100;
      feature.immutable = i == 3;
      features.push_back(feature);
    }
    Rng rng(2, "rows");
    x.resize(kRows * 16);
    for (std::size_t r = 0; r < kRows; ++r) {
      labels.push_back(r % 2);
      for (std::size_t i = 0; i < 4; ++i) x[r * 16 + i] = static_cast<float>(rng.normal());
    }
  }

  std::vector<float> moved(const AdversarialAugmentation& how, uint64_t seed = 5) {
    const Perturber perturber(features, {.epsilon = how.epsilon}, 16);
    std::vector<float> out(x.size());
    Rng rng(seed, "attack");
    attack(how, perturber, network, x.data(), labels.data(), kRows, rng, space, out.data());
    return out;
  }

  /// How far the moved rows stand on the wrong side, summed.
  double harm(const std::vector<float>& rows) {
    network.forward(rows.data(), kRows, space.pass);
    double sum = 0;
    for (std::size_t r = 0; r < kRows; ++r)
      sum += labels[r] != 0 ? -space.pass.logits[r] : space.pass.logits[r];
    return sum;
  }
};

TEST(Attack, StaysWithinEpsilonAndMovesNoImmutableColumn) {
  Scene scene;
  for (int m = 0; m < 5; ++m) {
    const auto method = static_cast<Method>(m);
    const auto rows = scene.moved({.epsilon = 0.1, .method = method});
    double farthest = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const double distance = std::abs(rows[i] - scene.x[i]);
      farthest = std::max(farthest, distance);
      ASSERT_LE(distance, 0.1 + 1e-6) << name_of(method);
      if (i % 16 >= 3) {
        ASSERT_EQ(distance, 0) << name_of(method);
      }
    }
    EXPECT_GT(farthest, 0.02) << name_of(method);
  }
}

TEST(Attack, HarmsMoreThanNoiseDoes) {
  Scene scene;
  const double before = scene.harm(scene.x);
  const double noise = scene.harm(scene.moved({.epsilon = 0.1, .method = Method::noise}));
  for (const Method method : kGradientMethods) {
    const double after = scene.harm(scene.moved({.epsilon = 0.1, .method = method}));
    EXPECT_GT(after - before, 5 * std::abs(noise - before)) << name_of(method);
  }
}

TEST(Attack, ManySmallStepsHarmAtLeastAsMuchAsOne) {
  Scene scene;
  const double one = scene.harm(scene.moved({.epsilon = 0.5, .method = Method::fgsm}));
  const double many = scene.harm(scene.moved({.epsilon = 0.5, .method = Method::pgd, .steps = 20}));
  EXPECT_GE(many, one - 1e-3);
}

TEST(Attack, FgsmMovesByTheSignOfTheGradientOfTheLoss) {
  Scene scene;
  const auto rows = scene.moved({.epsilon = 0.1, .method = Method::fgsm});
  scene.network.forward(scene.x.data(), kRows, scene.space.pass);
  std::vector<float> grad_logits;
  for (const uint8_t label : scene.labels) grad_logits.push_back(label != 0 ? -1.0f : 1.0f);
  std::vector<float> grad(scene.x.size());
  scene.network.backward_to_input(grad_logits.data(), kRows, scene.space.pass, grad.data());
  for (std::size_t r = 0; r < kRows; ++r)
    for (std::size_t i = 0; i < 3; ++i)
      ASSERT_NEAR(rows[r * 16 + i] - scene.x[r * 16 + i], grad[r * 16 + i] > 0 ? 0.1 : -0.1, 1e-6);
}

TEST(Attack, NoiseMovesAValueByAShareOfItself) {
  Scene scene;
  const auto rows =
      scene.moved({.epsilon = 10, .method = Method::noise, .noise = {.low = 0.01, .high = 0.02}});
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t i = 0; i < 3; ++i) {
      const double value = scene.x[r * 16 + i] + 2, change = rows[r * 16 + i] + 2 - value;
      EXPECT_GE(std::abs(change), 0.01 * std::abs(value) - 1e-6);
      EXPECT_LE(std::abs(change), 0.02 * std::abs(value) + 1e-6);
    }
  }
}

TEST(Attack, TradesLeavesTheNetworksOwnAnswerWhateverTheLabel) {
  Scene scene;
  const AdversarialAugmentation how{.epsilon = 0.5, .method = Method::trades};
  const auto rows = scene.moved(how);
  for (uint8_t& label : scene.labels) label = 1 - label;
  EXPECT_EQ(rows, scene.moved(how));
}

TEST(Attack, IsTheSameForTheSameStreamOfRandomNumbers) {
  Scene scene;
  const AdversarialAugmentation how{.epsilon = 0.1, .method = Method::fgsm_rs};
  EXPECT_EQ(scene.moved(how, 1), scene.moved(how, 1));
  EXPECT_NE(scene.moved(how, 1), scene.moved(how, 2));
}

TEST(Attack, NoiseWithoutARangeIsAProblem) {
  EXPECT_EQ((Noise{.low = 0.1, .high = 0.01}.problems().size()), 1u);
  EXPECT_TRUE(Noise{}.problems().empty());
}

}  // namespace
}  // namespace cupel::augment

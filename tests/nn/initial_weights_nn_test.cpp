#include "nn/initial_weights_nn.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::nn {
namespace {

struct TwoMatrices : torch::nn::Module {
  TwoMatrices() {
    first = register_parameter("first", at::zeros({100, 100}));
    norm = register_parameter("norm", at::ones({100}));
    second = register_parameter("second", at::zeros({100, 100}));
  }
  at::Tensor first, norm, second;
};

TwoMatrices drawn(uint64_t seed) {
  TwoMatrices module;
  draw_matrices(module, 0.02, cupel::Run({.seed = seed, .threads = 1}));
  return module;
}

TEST(InitialWeights, MatricesAreDrawnFromANormalDistributionAndVectorsStay) {
  const TwoMatrices module = drawn(1);
  // Of 10,000 draws: five standard errors, a false alarm in two million.
  EXPECT_NEAR(module.first.mean().item<double>(), 0, 5 * 0.02 / 100);
  EXPECT_NEAR(module.first.std().item<double>(), 0.02, 5 * 0.02 / std::sqrt(2 * 10'000));
  EXPECT_TRUE(module.norm.equal(at::ones({100})));
}

TEST(InitialWeights, EveryMatrixHasAStreamOfItsOwnThatTheRandomSeedDecides) {
  const TwoMatrices module = drawn(1);
  EXPECT_FALSE(module.first.equal(module.second));
  EXPECT_TRUE(module.first.equal(drawn(1).first));
  EXPECT_FALSE(module.first.equal(drawn(2).first));
}

TEST(InitialWeights, CopiesOfTheWeightsNoticeThem) {
  TwoMatrices module;
  const auto before = module.first._version();
  draw_matrices(module, 0.02, cupel::Run({.seed = 1, .threads = 1}));
  EXPECT_GT(module.first._version(), before);
}

}  // namespace
}  // namespace cupel::nn

#include "nn/llm/route.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::llm {
namespace {

ModelConfig routing(const std::string& family) {
  ModelConfig config;
  config.family = family;
  config.n_routed_experts = 4;
  config.num_experts_per_tok = 2;
  return config;
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(Route, TheBiasChoosesAndTheScoreWeighs) {
  ModelConfig config = routing("deepseek_v3");
  config.routed_scaling_factor = 2.5;
  const float logits[] = {1, 0, -1, 0.5f, -3, -3, 5, -3};
  const RoutedTokens routed = route(config, {0, 0, 9, 0}, logits, 2);
  ASSERT_EQ(routed.of_expert[2].size(), 2u) << "the bias takes expert 2 in both rows";
  ASSERT_EQ(routed.of_expert[0].size(), 2u) << "of equals in row 1 the first";
  EXPECT_TRUE(routed.of_expert[1].empty());
  EXPECT_EQ(routed.of_expert[2][1].row, 1);
  const double sum = sigmoid(1) + sigmoid(-1);
  EXPECT_NEAR(routed.of_expert[0][0].weight, 2.5 * sigmoid(1) / sum, 1e-6);
  EXPECT_NEAR(routed.of_expert[2][0].weight, 2.5 * sigmoid(-1) / sum, 1e-6);
}

TEST(Route, OnlyTheBestGroupsAreChosenFrom) {
  ModelConfig config = routing("deepseek_v3");
  config.n_group = 2;
  config.topk_group = 1;
  // The largest score stands alone in the first group, the second has the larger sum of two.
  const float logits[] = {2, -9, 1, 1};
  const RoutedTokens routed = route(config, {0, 0, 0, 0}, logits, 1);
  EXPECT_TRUE(routed.of_expert[0].empty());
  EXPECT_EQ(routed.of_expert[2].size() + routed.of_expert[3].size(), 2u);
}

TEST(Route, WithoutABiasChancesOverAllExpertsWeigh) {
  ModelConfig config = routing("qwen3_moe");
  config.norm_topk_prob = false;
  const float logits[] = {std::log(4.0f), std::log(3.0f), std::log(2.0f), 0};
  const RoutedTokens routed = route(config, {}, logits, 1);
  EXPECT_NEAR(routed.of_expert[0][0].weight, 0.4, 1e-6);
  EXPECT_NEAR(routed.of_expert[1][0].weight, 0.3, 1e-6);
  config.norm_topk_prob = true;
  EXPECT_NEAR(route(config, {}, logits, 1).of_expert[0][0].weight, 4.0 / 7, 1e-6);
}

}  // namespace
}  // namespace cupel::llm

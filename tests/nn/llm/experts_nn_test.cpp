#include "nn/llm/experts_nn.h"

#include <gtest/gtest.h>

#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

ModelConfig four_experts() {
  ModelConfig config;
  config.hidden_size = 8;
  config.moe_intermediate_size = 6;
  config.n_routed_experts = 4;
  config.num_experts_per_tok = 2;
  config.n_shared_experts = 0;
  return config;
}

TEST(Router, WeighsBySigmoidsThatSumToOneTimesTheScalingFactor) {
  ModelConfig config = four_experts();
  config.routed_scaling_factor = 2.5;
  Router router(config);
  fill_randomly(router);
  const Router::Choice choice = router.forward(random_tensor({7, 8}, 1));
  EXPECT_LE(relative_gap(choice.scores.sum(1), at::full({7}, 2.5)), 1e-6);
}

TEST(Router, ChoosesByTheBiasButWeighsWithoutIt) {
  Router router(four_experts());
  fill_randomly(router);
  const at::Tensor x = random_tensor({7, 8}, 1);
  router.bias[3] = 10;
  const Router::Choice choice = router.forward(x);
  const at::Tensor scores = at::sigmoid(at::matmul(x, router.weight.t()));
  for (int64_t t = 0; t < 7; ++t) {
    EXPECT_EQ(choice.experts[t][0].item<int64_t>(), 3);
    const at::Tensor chosen = scores[t].index_select(0, choice.experts[t]);
    EXPECT_LE(relative_gap(choice.scores[t], chosen / chosen.sum()), 1e-5);
  }
}

TEST(Router, ChoosesOnlyWithinTheBestGroups) {
  ModelConfig config = four_experts();
  config.n_group = 2;
  config.topk_group = 1;
  Router router(config);
  fill_randomly(router);
  const at::Tensor experts = router.forward(random_tensor({50, 8}, 2)).experts;
  EXPECT_TRUE(
      at::equal(experts.select(1, 0).div(2, "floor"), experts.select(1, 1).div(2, "floor")));
}

TEST(Router, OfSoftmaxScoresHasNoBiasAndWeighsByTheChances) {
  ModelConfig config = four_experts();
  config.family = "qwen3_moe";
  config.norm_topk_prob = false;
  Router router(config);
  fill_randomly(router);
  EXPECT_TRUE(router.buffers().empty());
  const at::Tensor x = random_tensor({7, 8}, 1);
  const Router::Choice choice = router.forward(x);
  const at::Tensor chances = at::softmax(at::matmul(x, router.weight.t()), 1);
  EXPECT_LE(relative_gap(choice.scores, std::get<0>(chances.topk(2, 1))), 1e-5);
  config.norm_topk_prob = true;
  Router normalised(config);
  fill_randomly(normalised);
  EXPECT_LE(relative_gap(normalised.forward(x).scores.sum(1), at::ones({7})), 1e-6);
}

TEST(Router, OfSoftmaxScoresTakesTheGroupsWithTheBestExpert) {
  ModelConfig config = four_experts();
  config.family = "deepseek_v2";
  config.n_group = 2;
  config.topk_group = 1;
  config.num_experts_per_tok = 1;
  config.routed_scaling_factor = 3;
  Router router(config);
  fill_randomly(router);
  const at::Tensor x = random_tensor({50, 8}, 2);
  const Router::Choice choice = router.forward(x);
  const auto [best, where] = at::softmax(at::matmul(x, router.weight.t()), 1).max(1, true);
  EXPECT_TRUE(at::equal(choice.experts, where));
  EXPECT_LE(relative_gap(choice.scores, best * 3), 1e-5);
}

TEST(Experts, WithoutABiasAreLeftUnbalanced) {
  ModelConfig config = four_experts();
  config.family = "qwen3_moe";
  Experts experts(config);
  fill_randomly(experts);
  Pass pass;
  pass.count_load = true;
  experts.forward(random_tensor({11, 8}, 3), pass);
  experts.update_bias(0.25);
  EXPECT_TRUE(experts.buffers().empty());
}

TEST(Experts, AddASharedExpertWithBiases) {
  ModelConfig config = four_experts();
  config.family = "deepseek_v2";
  config.n_shared_experts = 2;
  config.mlp_bias = true;
  Experts experts(config);
  fill_randomly(experts);
  at::NoGradGuard no_grad;
  const at::Tensor x = random_tensor({11, 8}, 3);
  const at::Tensor both = experts.forward(x, {});
  const auto parameters = experts.named_parameters();
  const auto product = [&](const std::string& name, const at::Tensor& input) {
    return at::matmul(input, parameters["shared_experts." + name + ".weight"].t()) +
           parameters["shared_experts." + name + ".bias"];
  };
  const at::Tensor shared =
      product("down_proj", at::silu(product("gate_proj", x)) * product("up_proj", x));
  for (const char* name : {"gate_proj", "up_proj", "down_proj"}) {
    parameters["shared_experts." + std::string(name) + ".weight"].zero_();
    parameters["shared_experts." + std::string(name) + ".bias"].zero_();
  }
  EXPECT_LE(relative_gap(both - experts.forward(x, {}), shared), 1e-5);
}

TEST(Experts, CountsTheTokensOfEachExpertUntilTheNextStep) {
  Experts experts(four_experts());
  fill_randomly(experts);
  Pass pass;
  pass.count_load = true;
  experts.forward(random_tensor({11, 8}, 3), pass);
  int64_t total = 0;
  for (const int64_t tokens : experts.load()) total += tokens;
  EXPECT_EQ(total, 22);
  pass.count_load = false;
  const std::vector<int64_t> before = experts.load();
  experts.forward(random_tensor({11, 8}, 4), pass);
  EXPECT_EQ(experts.load(), before);
  experts.begin_step();
  EXPECT_EQ(experts.load(), std::vector<int64_t>(4, 0));
}

TEST(Experts, DoNotCountPadding) {
  Experts experts(four_experts());
  fill_randomly(experts);
  const at::Tensor x = random_tensor({11, 8}, 3);
  Pass pass;
  pass.count_load = true;
  experts.forward(x.narrow(0, 0, 7), pass);
  const std::vector<int64_t> real = experts.load();
  experts.begin_step();
  pass.counted = at::arange(11) < 7;
  experts.forward(x, pass);
  EXPECT_EQ(experts.load(), real);
}

TEST(Experts, RaisesTheBiasOfIdleExpertsAndLowersThatOfBusyOnes) {
  Experts experts(four_experts());
  fill_randomly(experts);
  Pass pass;
  pass.count_load = true;
  experts.forward(random_tensor({101, 8}, 3), pass);
  experts.update_bias(0.25);
  const at::Tensor bias = experts.named_buffers()["gate.e_score_correction_bias"];
  const double mean = 202.0 / 4;
  for (int64_t e = 0; e < 4; ++e) {
    const auto load = static_cast<double>(experts.load()[static_cast<std::size_t>(e)]);
    const float want = load == mean ? 0.0f : load < mean ? 0.25f : -0.25f;
    EXPECT_EQ(bias[e].item<float>(), want) << e << ": " << load;
  }
}

TEST(Experts, EvenOutSkewedRoutingOverManySteps) {
  Experts experts(four_experts());
  fill_randomly(experts);
  Pass pass;
  pass.count_load = true;
  const at::Tensor x = random_tensor({400, 8}, 5) + 0.7;
  const auto busiest = [&] {
    experts.begin_step();
    experts.forward(x, pass);
    return *std::max_element(experts.load().begin(), experts.load().end());
  };
  const int64_t before = busiest();
  for (int step = 0; step < 300; ++step) {
    busiest();
    experts.update_bias(0.01);
  }
  EXPECT_LT(busiest(), before);
  EXPECT_LE(busiest(), 240);  // 200 is even
}

}  // namespace
}  // namespace cupel::llm

#include "nn/llm/config.h"

#include <gtest/gtest.h>

#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

TEST(ModelConfig, ProblemsSpanFields) {
  const auto first = [](auto change) {
    ModelConfig config;
    config.vocab_size = 256;
    change(config);
    const std::vector<std::string> problems = config.problems();
    return problems.empty() ? std::string("none") : problems[0];
  };
  EXPECT_EQ(first([](ModelConfig&) {}), "none");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "x"; }),
            "unknown family \"x\"; known: deepseek_v2, deepseek_v3, llama, mistral, qwen2, qwen3, "
            "qwen3_moe and, for task: classify, bert");
  EXPECT_EQ(first([](ModelConfig& c) { c.qk_rope_head_dim = 7; }), "qk_rope_head_dim must be even");
  EXPECT_EQ(first([](ModelConfig& c) { c.num_experts_per_tok = 9; }),
            "num_experts_per_tok is more than n_routed_experts; lower it");
  EXPECT_EQ(first([](ModelConfig& c) { c.n_group = 3; }),
            "n_group does not divide n_routed_experts");
  EXPECT_EQ(first([](ModelConfig& c) { c.topk_group = 2; }),
            "topk_group is more than n_group; lower it");
  EXPECT_EQ(first([](ModelConfig& c) { c.n_group = 8; }),
            "a group needs at least two experts; lower n_group");
  EXPECT_EQ(first([](ModelConfig& c) { c.n_group = 4, c.num_experts_per_tok = 3; }),
            "topk_group leaves fewer experts than num_experts_per_tok; raise topk_group");
  EXPECT_EQ(
      first([](ModelConfig& c) { c.family = "llama", c.num_attention_heads = 5; }),
      "num_attention_heads does not divide hidden_size, as transformers asks of family llama");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "qwen2", c.num_attention_heads = 5; }),
            "num_attention_heads does not divide hidden_size; give head_dim");
  EXPECT_EQ(
      first([](ModelConfig& c) { c.family = "qwen2", c.num_attention_heads = 5, c.head_dim = 16; }),
      "none");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.num_key_value_heads = 3; }),
            "num_key_value_heads does not divide num_attention_heads");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.head_dim = 9; }),
            "head_dim must be even");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.num_nextn_predict_layers = 1; }),
            "num_nextn_predict_layers is no setting of family llama; leave it out");
  EXPECT_EQ(first([](ModelConfig& c) {
              c.hidden_size = 1000000, c.intermediate_size = 10000000, c.num_hidden_layers = 10000;
            }),
            "the model has more than 1e15 parameters; lower its sizes");
  EXPECT_EQ(first([](ModelConfig& c) {
              c.q_lora_rank = 1000000, c.num_attention_heads = 10000, c.qk_nope_head_dim = 100000;
            }),
            "the model has more than 1e15 parameters; lower its sizes");
  EXPECT_EQ(first([](ModelConfig& c) { c.rope_scaling = RopeScaling{.beta_slow = 0}; }),
            "rope_scaling needs 0 < beta_slow <= beta_fast");
  EXPECT_EQ(first([](ModelConfig& c) { c.rope_scaling.emplace(), c.rope_theta = 1; }),
            "yarn needs a rope_theta above 1");
  EXPECT_EQ(first([](ModelConfig& c) {
              c.rope_scaling = RopeScaling{.type = "llama3", .low_freq_factor = 4};
            }),
            "rope_scaling needs low_freq_factor < high_freq_factor");
}

TEST(ModelConfig, SettingsOfAnotherFamilyAreGivenInVain) {
  const auto problems = [](const char* family, auto change) {
    ModelConfig config;
    config.family = family;
    config.vocab_size = 256;
    change(config);
    return config.problems();
  };
  for (const Family& family : kFamilies)
    EXPECT_TRUE(problems(family.name.data(), [](ModelConfig&) {}).empty()) << family.name;
  EXPECT_EQ(
      problems("qwen2", [](ModelConfig& c) { c.attention_bias = true; }),
      (std::vector<std::string>{"attention_bias is no setting of family qwen2; leave it out"}));
  EXPECT_EQ(
      problems("llama", [](ModelConfig& c) { c.sliding_window = 5; }),
      (std::vector<std::string>{"sliding_window is no setting of family llama; leave it out"}));
  EXPECT_EQ(problems("deepseek_v2", [](ModelConfig& c) { c.rope_interleave = false; }),
            (std::vector<std::string>{
                "rope_interleave is no setting of family deepseek_v2; leave it out"}));
}

TEST(ModelConfig, ExpertsStandInTheLayersThatTheFamilyCountsThemIn) {
  const auto layers = [](const ModelConfig& config) {
    std::string result;
    for (int64_t i = 0; i < 6; ++i) result += config.routes(i) ? 'e' : 'd';
    return result;
  };
  ModelConfig config;
  config.first_k_dense_replace = 2;
  EXPECT_EQ(layers(config), "ddeeee");
  config.family = "qwen3_moe";
  EXPECT_EQ(layers(config), "eeeeee");
  config.decoder_sparse_step = 2;
  EXPECT_EQ(layers(config), "dedede");
  config.mlp_only_layers = {3, 0};
  EXPECT_EQ(layers(config), "deddde");
  config.family = "qwen3";
  EXPECT_EQ(layers(config), "dddddd");
}

TEST(ModelConfig, AGroupOfOneExpertWillDoWhereItsBestIsItsScore) {
  ModelConfig config;
  config.vocab_size = 256;
  config.n_group = config.n_routed_experts;
  config.topk_group = 2;
  EXPECT_FALSE(config.problems().empty());
  config.family = "deepseek_v2";
  EXPECT_TRUE(config.problems().empty());
}

}  // namespace
}  // namespace cupel::llm

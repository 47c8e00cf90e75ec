#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "data/safetensors.h"
#include "nn/llm/config.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kShapeFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

bool is_routed(const std::string& name) { return name.find(".mlp.experts.") != std::string::npos; }

class Fixture : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Models, Fixture,
                         testing::Values("deepseek_v3_tiny/default", "deepseek_v3_tiny/yarn",
                                         "deepseek_v3_tiny/multi_token_prediction",
                                         "llama_tiny/default", "llama_tiny/llama3_rope",
                                         "families/deepseek_v2_greedy",
                                         "families/deepseek_v2_groups", "families/deepseek_v3",
                                         "families/llama", "families/mistral", "families/qwen2",
                                         "families/qwen3", "families/qwen3_moe",
                                         "families/qwen3_moe_step"));

TEST_P(Fixture, NamesAndShapesAreThoseOfThePublishedWeights) {
  const ModelConfig config = read_model_config(kShapeFixtures / GetParam() / "config.json");
  const Safetensors weights = Safetensors::open(kShapeFixtures / GetParam() / "model.safetensors");
  std::map<std::string, std::vector<int64_t>> expected, got;
  int64_t elements = 0;
  for (const TensorEntry& tensor : weights.tensors()) {
    if (tensor.name.ends_with("e_score_correction_bias")) continue;  // is balanced, not trained
    elements += tensor.bytes / dtype_bytes(tensor.dtype);
    if (!is_routed(tensor.name)) expected[tensor.name] = tensor.shape;
  }
  for (const ParameterShape& parameter : parameter_shapes(config)) {
    if (!is_routed(parameter.name)) got[parameter.name] = parameter.shape;
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(parameter_count(config), elements);
}

TEST(Shapes, ExpertsOfALayerAreFused) {
  const ModelConfig config =
      read_model_config(kShapeFixtures / "deepseek_v3_tiny/default/config.json");
  std::map<std::string, std::vector<int64_t>> routed;
  for (const ParameterShape& parameter : parameter_shapes(config)) {
    if (is_routed(parameter.name)) routed[parameter.name] = parameter.shape;
  }
  const std::map<std::string, std::vector<int64_t>> expected{
      {"model.layers.1.mlp.experts.gate_up_proj", {8, 32, 48}},
      {"model.layers.1.mlp.experts.down_proj", {8, 48, 16}},
      {"model.layers.2.mlp.experts.gate_up_proj", {8, 32, 48}},
      {"model.layers.2.mlp.experts.down_proj", {8, 48, 16}}};
  EXPECT_EQ(routed, expected);
}

TEST(Shapes, PublishedModelsHaveThePublishedNumberOfParameters) {
  ModelConfig llama;
  llama.family = "llama";
  llama.vocab_size = 128256;
  llama.hidden_size = 4096;
  llama.intermediate_size = 14336;
  llama.num_hidden_layers = 32;
  llama.num_attention_heads = 32;
  llama.num_key_value_heads = 8;
  EXPECT_EQ(parameter_count(llama), 8'030'261'248) << "Llama 3 8B";
  EXPECT_EQ(active_parameter_count(llama), parameter_count(llama));
  llama.hidden_size = 2048;
  llama.intermediate_size = 8192;
  llama.num_hidden_layers = 16;
  llama.tie_word_embeddings = true;
  EXPECT_EQ(parameter_count(llama), 1'235'814'400) << "Llama 3.2 1B";
}

TEST(Shapes, TheOtherFamiliesModelsToo) {
  // Each as its own config.json says; what that leaves out is the class's.
  const auto count = [](const char* config) {
    return parameter_count(parse_model_config(config, "config.json"));
  };
  EXPECT_EQ(count(R"({"model_type": "mistral", "vocab_size": 32000, "hidden_size": 4096,
                      "intermediate_size": 14336, "num_hidden_layers": 32,
                      "num_attention_heads": 32})"),
            7'241'732'096)
      << "Mistral 7B";
  EXPECT_EQ(count(R"({"model_type": "qwen2", "vocab_size": 151936, "hidden_size": 896,
                      "intermediate_size": 4864, "num_hidden_layers": 24,
                      "num_attention_heads": 14, "num_key_value_heads": 2,
                      "tie_word_embeddings": true})"),
            494'032'768)
      << "Qwen2 0.5B";
  EXPECT_EQ(count(R"({"model_type": "qwen3", "vocab_size": 151936, "hidden_size": 1024,
                      "intermediate_size": 3072, "num_hidden_layers": 28,
                      "num_attention_heads": 16, "num_key_value_heads": 8,
                      "tie_word_embeddings": true})"),
            596'049'920)
      << "Qwen3 0.6B";
  EXPECT_EQ(count(R"({"model_type": "deepseek_v2", "vocab_size": 102400, "hidden_size": 2048,
                      "intermediate_size": 10944, "moe_intermediate_size": 1408,
                      "num_hidden_layers": 27, "num_attention_heads": 16, "q_lora_rank": null,
                      "first_k_dense_replace": 1, "num_experts_per_tok": 6})"),
            15'706'484'224)
      << "DeepSeek V2 Lite";
  const ModelConfig moe = parse_model_config(
      R"({"model_type": "qwen3_moe", "vocab_size": 151936, "hidden_size": 2048,
          "intermediate_size": 6144, "num_hidden_layers": 48, "num_attention_heads": 32,
          "head_dim": 128})",
      "config.json");
  EXPECT_EQ(parameter_count(moe), 30'532'122'624) << "Qwen3 30B A3B";
  EXPECT_NEAR(static_cast<double>(active_parameter_count(moe)), 3.3e9, 0.1e9);
}

TEST(Shapes, DeepseekV3HasSixHundredSeventyOneBillionAndUsesThirtySeven) {
  ModelConfig config;
  config.vocab_size = 129280;
  config.hidden_size = 7168;
  config.intermediate_size = 18432;
  config.num_hidden_layers = 61;
  config.num_attention_heads = 128;
  config.q_lora_rank = 1536;
  config.kv_lora_rank = 512;
  config.qk_nope_head_dim = config.v_head_dim = 128;
  config.qk_rope_head_dim = 64;
  config.n_routed_experts = 256;
  config.num_experts_per_tok = 8;
  config.moe_intermediate_size = 2048;
  config.first_k_dense_replace = 3;
  EXPECT_NEAR(static_cast<double>(parameter_count(config)), 671e9, 0.5e9);
  EXPECT_NEAR(static_cast<double>(active_parameter_count(config)), 37e9, 0.6e9);
}

TEST(Shapes, BiasesStandWhereAttentionHasThem) {
  ModelConfig config = read_model_config(kShapeFixtures / "llama_tiny/default/config.json");
  const int64_t without = parameter_count(config);
  config.attention_bias = true;
  // Queries 72, keys and values 24 each, output 48, in two layers.
  EXPECT_EQ(parameter_count(config) - without, 2 * (72 + 24 + 24 + 48));
}

}  // namespace
}  // namespace cupel::llm

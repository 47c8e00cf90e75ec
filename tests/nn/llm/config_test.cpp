#include "nn/llm/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";
const std::filesystem::path kDeepseek = kFixtures / "deepseek_v3_tiny/default/config.json";
const std::filesystem::path kLlama = kFixtures / "llama_tiny/default/config.json";

ModelConfig read(const json::Value& object) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  return read_model_config(folder.write("config.json", json::dump(object)));
}

/// A fixture's config.json with one member changed.
json::Value changed(const std::filesystem::path& file, const std::string& key,
                    const std::string& value) {
  json::Value object = json::parse(read_file(file), "");
  object.set(key, json::parse(value, "test"));
  return object;
}

auto refuses(const json::Value& object, ErrorKind kind, const std::string& message) {
  return testing::Matches(throws_error(kind, message))(
      std::function<void()>([object] { read(object); }));
}

TEST(ModelConfig, ReadsTheConfigOfAPublishedDeepseek) {
  const ModelConfig config = read_model_config(kDeepseek);
  EXPECT_EQ(config.family, "deepseek_v3");
  EXPECT_EQ(config.vocab_size, 131);
  EXPECT_EQ(config.q_lora_rank, 20);
  EXPECT_EQ(config.n_group, 4);
  EXPECT_EQ(config.topk_group, 2);
  EXPECT_EQ(config.routed_scaling_factor, 2.5);
  EXPECT_EQ(config.rms_norm_eps, 1e-5);
  EXPECT_FALSE(config.rope_scaling);
  EXPECT_EQ(config.query_width(), 20);
  EXPECT_EQ(config.rotary_width(), 8);
}

TEST(ModelConfig, ReadsTheConfigOfAPublishedLlama) {
  const ModelConfig config = read_model_config(kLlama);
  EXPECT_EQ(config.family, "llama");
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.head_dim, 12);
  EXPECT_EQ(config.query_width(), 12);
  EXPECT_FALSE(config.rope_interleave) << "a Llama rotates halves, whatever the default is";
  EXPECT_TRUE(read_model_config(kDeepseek).rope_interleave);
}

TEST(ModelConfig, RotarySettingsAreReadInBothSpellings) {
  const ModelConfig yarn = read_model_config(kFixtures / "deepseek_v3_tiny/yarn/config.json");
  ASSERT_TRUE(yarn.rope_scaling);
  EXPECT_EQ(yarn.rope_scaling->type, "yarn");
  EXPECT_EQ(yarn.rope_scaling->factor, 4);
  EXPECT_EQ(yarn.rope_scaling->original_max_position_embeddings, 64);
  EXPECT_EQ(yarn.rope_scaling->mscale, 0.7);
  EXPECT_FALSE(yarn.rope_interleave);
  EXPECT_EQ(yarn.q_lora_rank, std::nullopt);
  const ModelConfig llama = read_model_config(kFixtures / "llama_tiny/llama3_rope/config.json");
  ASSERT_TRUE(llama.rope_scaling);
  EXPECT_EQ(llama.rope_scaling->type, "llama3");
  EXPECT_EQ(llama.rope_scaling->factor, 8);
  EXPECT_EQ(llama.rope_theta, 500000);
  const ModelConfig older =
      read(changed(kLlama, "rope_parameters", R"({"type": "yarn", "factor": 2})"));
  EXPECT_EQ(older.rope_scaling->factor, 2);
}

TEST(ModelConfig, WhatIsWrittenReadsBackTheSame) {
  for (const char* name :
       {"deepseek_v3_tiny/default", "deepseek_v3_tiny/yarn", "llama_tiny/default",
        "deepseek_v3_tiny/multi_token_prediction", "llama_tiny/llama3_rope"}) {
    const ModelConfig config = read_model_config(kFixtures / name / "config.json");
    const json::Value written = to_hf_json(config);
    EXPECT_EQ(json::dump(to_hf_json(read(written))), json::dump(written)) << name;
    const json::Value original = json::parse(read_file(kFixtures / name / "config.json"), name);
    for (const std::string key :
         {"architectures", "model_type", "hidden_size", "q_lora_rank", "tie_word_embeddings",
          "hidden_act", "num_hidden_layers", "num_key_value_heads"}) {
      const json::Value* had = original.find(key);
      if (had == nullptr) continue;
      ASSERT_NE(written.find(key), nullptr) << name << " " << key;
      EXPECT_EQ(json::dump(*written.find(key)), json::dump(*had)) << name << " " << key;
    }
  }
}

TEST(ModelConfig, AnUnknownArchitectureListsTheKnownOnes) {
  json::Value object = changed(kLlama, "model_type", "\"gpt_neox\"");
  object.set("architectures", json::Array{"GPTNeoXForCausalLM"});
  EXPECT_TRUE(refuses(object, ErrorKind::config,
                      "config.json: unknown model_type \"gpt_neox\"; known: deepseek_v3, llama"));
  EXPECT_TRUE(refuses(json::Object{}, ErrorKind::config, "unknown model_type \"none\""));
  EXPECT_EQ(read(changed(kLlama, "model_type", "\"my_llama\"")).family, "llama")
      << "by the name of its architecture";
}

TEST(ModelConfig, AMissingOrBrokenFileIsAnErrorWithItsPlace) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read_model_config(folder / "config.json"); },
              throws_error(ErrorKind::config, "config.json: cannot be opened"));
  EXPECT_THAT([&] { read_model_config(folder.write("a.json", "")); },
              throws_error(ErrorKind::data, "a.json:1:1: not well-formed JSON"));
  EXPECT_THAT([&] { read_model_config(folder.write("a.json", "[]")); },
              throws_error(ErrorKind::data, "expected an object, got a list"));
  EXPECT_THAT([&] { read_model_config(folder.write("a.json", std::string(1000, '['))); },
              throws_error(ErrorKind::data, "nested more than 16 levels deep"));
  EXPECT_THAT([&] { read_model_config(folder.write("a.json", "{\"a\": 1, \"a\": 2}")); },
              throws_error(ErrorKind::data, "duplicate key \"a\""));
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads"}) {
    const json::Value object = json::parse(read_file(kLlama), "");
    json::Object without;
    for (const json::Member& member : object.as_object("")) {
      if (member.first != key) without.push_back(member);
    }
    EXPECT_TRUE(refuses(without, ErrorKind::data, std::string("missing key \"") + key + "\""));
  }
}

TEST(ModelConfig, HostileNumbersAreRefusedByTheirKey) {
  const std::vector<std::pair<std::string, std::string>> numbers{
      {"vocab_size", "-1"},         {"hidden_size", "0"},
      {"hidden_size", "1e18"},      {"num_hidden_layers", "1000000"},
      {"num_attention_heads", "0"}, {"rope_theta", "0"},
      {"rms_norm_eps", "-1e-6"},    {"head_dim", "0"},
      {"num_key_value_heads", "-2"}};
  for (const auto& [key, value] : numbers) {
    const json::Value object = changed(kLlama, key, value);
    EXPECT_TRUE(refuses(object, ErrorKind::config, ": " + key + ": ")) << key << " " << value;
  }
  EXPECT_TRUE(refuses(changed(kLlama, "hidden_size", "\"48\""), ErrorKind::data,
                      "hidden_size: expected an integer, got text"));
  EXPECT_TRUE(refuses(changed(kLlama, "rope_parameters", R"({"rope_theta": -1})"),
                      ErrorKind::config, "rope_parameters: rope_theta: -1 is outside 1"));
  EXPECT_TRUE(refuses(changed(kLlama, "rope_parameters", R"({"rope_type": "yarn", "factor": 0})"),
                      ErrorKind::config, "rope_parameters: factor: 0 is outside 1"));
}

TEST(ModelConfig, WhatChangesTheArithmeticAndIsNotBuiltIsRefused) {
  const auto refused = [](const std::filesystem::path& file, const char* key, const char* value,
                          const std::string& message) {
    EXPECT_TRUE(refuses(changed(file, key, value), ErrorKind::config, message)) << key;
  };
  refused(kLlama, "hidden_act", "\"gelu\"", "hidden_act gelu is not supported; only silu is");
  refused(kLlama, "mlp_bias", "true", "mlp_bias true is not supported");
  refused(kDeepseek, "scoring_func", "\"softmax\"", "scoring_func softmax is not supported");
  refused(kDeepseek, "topk_method", "\"greedy\"", "topk_method greedy is not supported");
  refused(kDeepseek, "moe_layer_freq", "2", "moe_layer_freq 2 is not supported");
  refused(kDeepseek, "quantization_config", R"({"quant_method": "fp8"})", "weights are quantized");
  refused(kLlama, "partial_rotary_factor", "0.5",
          "partial_rotary_factor 0.5 is not supported; only 1");
  refused(kLlama, "rope_parameters", R"({"rope_type": "longrope"})",
          "unknown rope_scaling type \"longrope\"; known: yarn, llama3");
}

TEST(ModelConfig, ARotaryKeyThatIsNotKnownOrIsMissingIsNamed) {
  const auto refused = [](const char* rope, const std::string& message) {
    EXPECT_TRUE(refuses(changed(kLlama, "rope_scaling", rope), ErrorKind::config, message)) << rope;
  };
  refused(R"({"rope_type": "yarn", "factor": 4, "ramp": 1})",
          "rope_scaling: key \"ramp\" is not known to rope_type \"yarn\"");
  refused(R"({"rope_type": "llama3", "factor": 4, "low_freq_factor": 1, "high_freq_factor": 4,
             "mscale": 1})",
          "key \"mscale\" is not known to rope_type \"llama3\"");
  refused(R"({"factor": 4})", "key \"factor\" is not known to a map without rope_type");
  refused(R"({"full_attention": {"rope_type": "default"}})", "key \"full_attention\" is not known");
  refused(R"({"rope_type": "yarn"})", "rope_type \"yarn\" needs the key \"factor\"");
  refused(R"({"rope_type": "llama3", "factor": 4, "low_freq_factor": 1})",
          "rope_type \"llama3\" needs the key \"high_freq_factor\"");
  refused(R"({"type": "yarn", "factor": 4, "partial_rotary_factor": 0.5})",
          "partial_rotary_factor 0.5 is not supported");
}

TEST(ModelConfig, WhatAForeignFileLacksMeansWhatItMeansToTransformers) {
  // DeepseekV3Config and LlamaConfig of transformers 5.23.
  const auto read_bare = [](const std::string& family) {
    return read(json::Object{{"model_type", family},
                             {"vocab_size", 100},
                             {"hidden_size", 64},
                             {"intermediate_size", 64},
                             {"num_hidden_layers", 4},
                             {"num_attention_heads", 4}});
  };
  const ModelConfig deepseek = read_bare("deepseek_v3");
  EXPECT_EQ(deepseek.n_routed_experts, 256);
  EXPECT_EQ(deepseek.num_experts_per_tok, 8);
  EXPECT_EQ(deepseek.n_group, 8);
  EXPECT_EQ(deepseek.topk_group, 4);
  EXPECT_EQ(deepseek.routed_scaling_factor, 2.5);
  EXPECT_EQ(deepseek.first_k_dense_replace, 3);
  EXPECT_EQ(deepseek.moe_intermediate_size, 2048);
  EXPECT_EQ(deepseek.q_lora_rank, 1536);
  EXPECT_EQ(deepseek.kv_lora_rank, 512);
  EXPECT_EQ(deepseek.query_width(), 192);
  EXPECT_EQ(deepseek.v_head_dim, 128);
  EXPECT_EQ(deepseek.max_position_embeddings, 4096);
  EXPECT_TRUE(deepseek.norm_topk_prob && deepseek.rope_interleave);
  EXPECT_EQ(read(changed(kDeepseek, "q_lora_rank", "null")).q_lora_rank, std::nullopt);
  const ModelConfig llama = read_bare("llama");
  EXPECT_EQ(llama.max_position_embeddings, 2048);
  EXPECT_EQ(llama.rms_norm_eps, 1e-6);
}

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
            "unknown family \"x\"; known: deepseek_v3, llama");
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
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.num_attention_heads = 5; }),
            "num_attention_heads does not divide hidden_size; give head_dim");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.num_key_value_heads = 3; }),
            "num_key_value_heads does not divide num_attention_heads");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.head_dim = 9; }),
            "head_dim must be even");
  EXPECT_EQ(first([](ModelConfig& c) { c.family = "llama", c.num_nextn_predict_layers = 1; }),
            "num_nextn_predict_layers needs family deepseek_v3");
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

}  // namespace
}  // namespace cupel::llm

// config.json as transformers and published models write it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "nn/llm/config.h"
#include "nn/llm/families.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kFixtures = std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";
const std::filesystem::path kDeepseek = kFixtures / "deepseek_v3_tiny/default/config.json";
const std::filesystem::path kDeepseekV2 = kFixtures / "families/deepseek_v2_groups/config.json";
const std::filesystem::path kLlama = kFixtures / "llama_tiny/default/config.json";
const std::filesystem::path kMistral = kFixtures / "families/mistral/config.json";
const std::filesystem::path kQwen2 = kFixtures / "families/qwen2/config.json";
const std::filesystem::path kQwen3Moe = kFixtures / "families/qwen3_moe/config.json";

ModelConfig read(const json::Value& object) {
  return parse_model_config(json::dump(object), "config.json");
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

TEST(ConfigJson, ReadsTheConfigOfAPublishedDeepseek) {
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

TEST(ConfigJson, ReadsTheConfigOfAPublishedLlama) {
  const ModelConfig config = read_model_config(kLlama);
  EXPECT_EQ(config.family, "llama");
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.head_dim, 12);
  EXPECT_EQ(config.query_width(), 12);
  EXPECT_FALSE(config.interleaves()) << "a Llama rotates halves, whatever the file says";
  EXPECT_FALSE(read(changed(kLlama, "rope_interleave", "true")).interleaves());
  EXPECT_TRUE(read_model_config(kDeepseek).interleaves());
}

TEST(ConfigJson, RotarySettingsAreReadInBothSpellings) {
  const ModelConfig yarn = read_model_config(kFixtures / "deepseek_v3_tiny/yarn/config.json");
  ASSERT_TRUE(yarn.rope_scaling);
  EXPECT_EQ(yarn.rope_scaling->type, "yarn");
  EXPECT_EQ(yarn.rope_scaling->factor, 4);
  EXPECT_EQ(yarn.rope_scaling->original_max_position_embeddings, 64);
  EXPECT_EQ(yarn.rope_scaling->mscale, 0.7);
  EXPECT_FALSE(yarn.interleaves());
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

TEST(ConfigJson, WhatIsWrittenReadsBackTheSame) {
  for (const char* name :
       {"deepseek_v3_tiny/default", "deepseek_v3_tiny/yarn", "llama_tiny/default",
        "deepseek_v3_tiny/multi_token_prediction", "llama_tiny/llama3_rope",
        "families/deepseek_v2_greedy", "families/deepseek_v2_groups", "families/mistral",
        "families/qwen2", "families/qwen3", "families/qwen3_moe", "families/qwen3_moe_step"}) {
    const ModelConfig config = read_model_config(kFixtures / name / "config.json");
    const json::Value written = to_hf_json(config);
    EXPECT_EQ(json::dump(to_hf_json(read(written))), json::dump(written)) << name;
    const json::Value original = json::parse(read_file(kFixtures / name / "config.json"), name);
    for (const std::string key :
         {"architectures",       "model_type",          "hidden_size",
          "q_lora_rank",         "tie_word_embeddings", "hidden_act",
          "num_hidden_layers",   "num_key_value_heads", "num_experts",
          "num_experts_per_tok", "mlp_only_layers",     "decoder_sparse_step",
          "use_sliding_window",  "attention_bias",      "mlp_bias",
          "topk_method",         "topk_group",          "routed_scaling_factor",
          "max_window_layers",   "rms_norm_eps"}) {
      const json::Value* had = original.find(key);
      if (had == nullptr) continue;
      ASSERT_NE(written.find(key), nullptr) << name << " " << key;
      EXPECT_EQ(json::dump(*written.find(key)), json::dump(*had)) << name << " " << key;
    }
  }
}

TEST(ConfigJson, AnUnknownArchitectureListsTheKnownOnes) {
  json::Value object = changed(kLlama, "model_type", "\"gpt_neox\"");
  object.set("architectures", json::Array{"GPTNeoXForCausalLM"});
  EXPECT_TRUE(refuses(
      object, ErrorKind::config,
      "config.json: unknown model_type \"gpt_neox\"; known: deepseek_v2, deepseek_v3, llama, "
      "mistral, qwen2, qwen3, qwen3_moe"));
  EXPECT_TRUE(refuses(json::Object{}, ErrorKind::config, "unknown model_type \"none\""));
  EXPECT_EQ(read(changed(kLlama, "model_type", "\"my_llama\"")).family, "llama")
      << "by the name of its architecture";
}

TEST(ConfigJson, AMissingOrBrokenFileIsAnErrorWithItsPlace) {
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

TEST(ConfigJson, HostileNumbersAreRefusedByTheirKey) {
  const std::vector<std::pair<std::string, std::string>> numbers{
      {"vocab_size", "-1"},         {"hidden_size", "0"},
      {"hidden_size", "1e18"},      {"num_hidden_layers", "1000000"},
      {"num_attention_heads", "0"}, {"rope_theta", "0"},
      {"rms_norm_eps", "-1e-6"},    {"head_dim", "0"},
      {"num_key_value_heads", "-2"}};
  const std::vector<std::pair<std::string, std::string>> of_experts{
      {"num_experts_per_tok", "0"},      {"moe_intermediate_size", "1e9"},
      {"decoder_sparse_step", "0"},      {"mlp_only_layers", "[0, -1]"},
      {"mlp_only_layers", "[1e9]"},      {"norm_topk_prob", "1"},
      {"use_sliding_window", "\"yes\""}, {"mlp_only_layers", "3"}};
  for (const auto& [key, value] : numbers) {
    const json::Value object = changed(kLlama, key, value);
    EXPECT_TRUE(refuses(object, ErrorKind::config, ": " + key + ": ")) << key << " " << value;
  }
  for (const auto& [key, value] : of_experts) {
    const bool kind = value[0] == '"' || value == "1" || value == "3";  // else a number's range
    EXPECT_TRUE(refuses(changed(kQwen3Moe, key, value), kind ? ErrorKind::data : ErrorKind::config,
                        ": " + key + ": "))
        << key << " " << value;
  }
  EXPECT_TRUE(refuses(changed(kMistral, "sliding_window", "0"), ErrorKind::config,
                      ": sliding_window: 0 is outside 1"));
  EXPECT_TRUE(refuses(changed(kLlama, "hidden_size", "\"48\""), ErrorKind::data,
                      "hidden_size: expected an integer, got text"));
  EXPECT_TRUE(refuses(changed(kLlama, "rope_parameters", R"({"rope_theta": -1})"),
                      ErrorKind::config, "rope_parameters: rope_theta: -1 is outside 1"));
  EXPECT_TRUE(refuses(changed(kLlama, "rope_parameters", R"({"rope_type": "yarn", "factor": 0})"),
                      ErrorKind::config, "rope_parameters: factor: 0 is outside 1"));
}

TEST(ConfigJson, WhatChangesTheArithmeticAndIsNotBuiltIsRefused) {
  const auto refused = [](const std::filesystem::path& file, const char* key, const char* value,
                          const std::string& message) {
    EXPECT_TRUE(refuses(changed(file, key, value), ErrorKind::config, message)) << key;
  };
  refused(kLlama, "hidden_act", "\"gelu\"", "hidden_act gelu is not supported; only silu is");
  refused(kDeepseek, "scoring_func", "\"softmax\"", "scoring_func softmax is not supported");
  refused(kDeepseek, "topk_method", "\"greedy\"", "topk_method greedy is not supported");
  refused(kDeepseekV2, "scoring_func", "\"sigmoid\"", "scoring_func sigmoid is not supported");
  refused(kDeepseekV2, "topk_method", "\"noaux_tc\"",
          "topk_method noaux_tc is not supported; only greedy and group_limited_greedy are");
  refused(kQwen2, "layer_types", R"(["sliding_attention", "full_attention"])",
          "layer_types[0] is not what max_window_layers makes it");
  refused(kDeepseek, "moe_layer_freq", "2", "moe_layer_freq 2 is not supported");
  refused(kDeepseek, "quantization_config", R"({"quant_method": "fp8"})", "weights are quantized");
  refused(kDeepseek, "quantization_config",
          R"({"quant_method": "fp8", "weight_block_size": [64, 128]})", "weights are quantized");
  refused(kLlama, "partial_rotary_factor", "0.5",
          "partial_rotary_factor 0.5 is not supported; only 1");
  refused(kLlama, "rope_parameters", R"({"rope_type": "longrope"})",
          "unknown rope_scaling type \"longrope\"; known: yarn, llama3");
}

TEST(ConfigJson, TakesEightBitWeightsInTheBlocksThatDeepSeekPublishes) {
  EXPECT_FALSE(refuses(changed(kDeepseek, "quantization_config",
                               R"({"activation_scheme": "dynamic", "fmt": "e4m3",
                                   "quant_method": "fp8", "weight_block_size": [128, 128]})"),
                       ErrorKind::config, ""));
}

TEST(ConfigJson, ARotaryKeyThatIsNotKnownOrIsMissingIsNamed) {
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

/// The least that a config.json says, and a number of key and value heads, which some classes set.
ModelConfig read_bare(const std::string& family) {
  return read(json::Object{{"model_type", family},
                           {"vocab_size", 100},
                           {"hidden_size", 64},
                           {"intermediate_size", 64},
                           {"num_hidden_layers", 4},
                           {"num_attention_heads", 4},
                           {"num_key_value_heads", 2},
                           {"num_experts_per_tok", 8}});
}

TEST(ConfigJson, WhatAForeignFileLacksMeansWhatItMeansToTransformers) {
  // DeepseekV3Config and LlamaConfig of transformers 5.23.
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

TEST(ConfigJson, WhatAnyOtherFamilysFileLacksIsItsClasssToo) {
  const ModelConfig v2 = read_bare("deepseek_v2");
  EXPECT_EQ(v2.n_routed_experts, 64);
  EXPECT_EQ(v2.n_shared_experts, 2);
  EXPECT_EQ(v2.first_k_dense_replace, 0);
  EXPECT_EQ(v2.moe_intermediate_size, 1407);
  EXPECT_EQ(v2.q_lora_rank, 1536);
  EXPECT_EQ(v2.n_group, 1) << "greedy";
  EXPECT_EQ(v2.routed_scaling_factor, 1);
  const ModelConfig mistral = read_bare("mistral");
  EXPECT_EQ(mistral.sliding_window, 4096);
  EXPECT_EQ(mistral.max_position_embeddings, 131072);
  const ModelConfig qwen2 = read_bare("qwen2"), qwen3 = read_bare("qwen3");
  EXPECT_EQ(qwen2.rope_theta, 10000) << "distilled R1 models have no other";
  EXPECT_EQ(qwen2.sliding_window, std::nullopt);
  EXPECT_EQ(qwen2.query_width(), 16);
  EXPECT_EQ(qwen3.query_width(), 128);
  const ModelConfig moe = read_bare("qwen3_moe");
  EXPECT_EQ(moe.n_routed_experts, 128);
  EXPECT_EQ(moe.moe_intermediate_size, 768);
  EXPECT_FALSE(moe.norm_topk_prob);
  EXPECT_TRUE(moe.routes(0) && moe.routes(3));
}

TEST(ConfigJson, AKeyOfAnotherFamilyIsOverlookedAsTransformersDoes) {
  json::Value object = json::parse(read_file(kMistral), "");
  for (const char* key : {"attention_bias", "mlp_bias", "rope_interleave"}) object.set(key, true);
  object.set("n_routed_experts", -1);
  EXPECT_EQ(json::dump(to_hf_json(read(object))),
            json::dump(to_hf_json(read_model_config(kMistral))));
}

TEST(ConfigJson, NormalisedWeightsAreOnlyThoseOfFamiliesThatReadTheKey) {
  const ModelConfig v2 = read_model_config(kFixtures / "families/deepseek_v2_greedy/config.json");
  EXPECT_FALSE(v2.normalises_experts()) << "the file says true, the class does not look";
  EXPECT_EQ(json::dump(to_hf_json(v2).at("norm_topk_prob", "")), "false")
      << "for readers that do look";
  EXPECT_TRUE(read_model_config(kQwen3Moe).normalises_experts());
  EXPECT_FALSE(read(changed(kDeepseek, "norm_topk_prob", "false")).normalises_experts());
}

TEST(ConfigJson, GroupsCountOnlyWhereTheMethodIsLimitedToThem) {
  EXPECT_EQ(read_model_config(kDeepseekV2).n_group, 4);
  EXPECT_EQ(read(changed(kDeepseekV2, "topk_method", "\"greedy\"")).n_group, 1);
}

TEST(ConfigJson, AWindowSlidesWhereItIsSwitchedOnAndFromItsFirstLayer) {
  EXPECT_EQ(read_model_config(kMistral).window(0), 5);
  EXPECT_EQ(read(changed(kMistral, "sliding_window", "null")).window(0), std::nullopt);
  const ModelConfig qwen2 = read_model_config(kQwen2);
  EXPECT_EQ(qwen2.window(0), std::nullopt);
  EXPECT_EQ(qwen2.window(1), 6);
  EXPECT_EQ(read(changed(kQwen2, "use_sliding_window", "false")).window(1), std::nullopt);
  EXPECT_EQ(
      read(changed(kQwen2, "layer_types", R"(["full_attention", "sliding_attention"])")).window(1),
      6);
}

TEST(ConfigJson, ExpertsAreCountedUnderAnyOfTheirNames) {
  EXPECT_EQ(read_model_config(kQwen3Moe).n_routed_experts, 8);
  json::Value object = json::parse(read_file(kQwen3Moe), "");
  object.set("n_routed_experts", 16);
  EXPECT_EQ(read(object).n_routed_experts, 16);
  EXPECT_EQ(json::dump(to_hf_json(read(object)).at("num_experts", "")), "16");
}

TEST(ConfigJson, WhatIsWrittenSaysWhatItsClassWouldTakeForSomethingElse) {
  for (const Family& family : kFamilies) {
    SCOPED_TRACE(family.name);
    ModelConfig config;
    config.family = family.name;
    config.vocab_size = 100;
    const json::Value written = to_hf_json(config);
    EXPECT_EQ(json::dump(to_hf_json(read(written))), json::dump(written));
    const ModelConfig again = read(written);
    EXPECT_EQ(again.query_width(), config.query_width());
    EXPECT_EQ(again.window(3), std::nullopt);
    EXPECT_EQ(again.shared_width(), config.shared_width());
    EXPECT_EQ(parameter_count(again), parameter_count(config));
  }
}

TEST(ConfigJson, ALatentFamilysExpertsATokenMustBeGiven) {
  const json::Value object = json::parse(read_file(kDeepseekV2), "");
  json::Object without;
  for (const json::Member& member : object.as_object("")) {
    if (member.first != "num_experts_per_tok") without.push_back(member);
  }
  EXPECT_TRUE(refuses(without, ErrorKind::data, "missing key \"num_experts_per_tok\""));
}

}  // namespace
}  // namespace cupel::llm

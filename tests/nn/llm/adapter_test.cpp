#include "nn/llm/adapter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/atomic_file.h"
#include "nn/llm/families.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

ModelConfig small_model(const std::string& family) {
  ModelConfig model;
  model.family = family;
  model.vocab_size = 100;
  model.num_hidden_layers = 2;
  return model;
}

/// What stands behind "model.layers.<i>." in the names of a layer.
std::set<std::string> names_in_layer(const ModelConfig& model, int64_t layer,
                                     const std::vector<std::string>& targets) {
  const std::string prefix = "model.layers." + std::to_string(layer) + ".";
  std::set<std::string> names;
  for (const LinearShape& shape : adapted_layers(model, targets, "here")) {
    if (shape.name.starts_with(prefix)) names.insert(shape.name.substr(prefix.size()));
  }
  return names;
}

TEST(Adapter, AllLinearIsAttentionAndFeedForwardOfADenseModel) {
  EXPECT_EQ(
      names_in_layer(small_model("llama"), 1, {"all-linear"}),
      (std::set<std::string>{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                             "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}));
}

TEST(Adapter, AllLinearTakesSharedExpertsAndLeavesRoutedOnesAndTheRouter) {
  ModelConfig model = small_model("deepseek_v3");
  model.q_lora_rank = 8;
  const std::set<std::string> attention{"self_attn.q_a_proj", "self_attn.q_b_proj",
                                        "self_attn.kv_a_proj_with_mqa", "self_attn.kv_b_proj",
                                        "self_attn.o_proj"};
  std::set<std::string> dense = attention, routed = attention;
  for (const char* part : {"gate_proj", "up_proj", "down_proj"}) {
    dense.insert(std::string("mlp.") + part);
    routed.insert(std::string("mlp.shared_experts.") + part);
  }
  EXPECT_EQ(names_in_layer(model, 0, {"all-linear"}), dense);
  EXPECT_EQ(names_in_layer(model, 1, {"all-linear"}), routed);
}

TEST(Adapter, LeavesTheLayersOfMultiTokenPrediction) {
  ModelConfig model = small_model("deepseek_v3");
  model.num_nextn_predict_layers = 1;
  EXPECT_TRUE(names_in_layer(model, 2, {"all-linear"}).empty());
}

TEST(Adapter, ReadsTargetsAsEndsOfNamesAndAsWholeNames) {
  const ModelConfig model = small_model("qwen2");
  EXPECT_EQ(names_in_layer(model, 1, {"q_proj", "model.layers.1.mlp.up_proj"}),
            (std::set<std::string>{"self_attn.q_proj", "mlp.up_proj"}));
  EXPECT_EQ(names_in_layer(model, 0, {"q_proj", "model.layers.1.mlp.up_proj"}),
            (std::set<std::string>{"self_attn.q_proj"}));
}

TEST(Adapter, ATargetThatNamesNothingListsWhatThereIs) {
  for (const char* target : {"lm_head", "proj", "", "gate"}) {
    EXPECT_THAT(
        [&] {
          adapted_layers(small_model("llama"), {"q_proj", target}, "here");
        },
        throws_exactly(ErrorKind::config,
                       "here: \"" + std::string(target) +
                           "\" names no linear layer of the blocks of this llama; there are "
                           "q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj, and "
                           "all-linear for all; embeddings, head, routers and routed experts take "
                           "no adapter"));
  }
}

TEST(Adapter, EveryFamilyHasLayersToAdaptOfTheShapesOfItsWeights) {
  for (const Family& family : kFamilies) {
    const ModelConfig model = small_model(std::string(family.name));
    const std::vector<LinearShape> layers = adaptable_layers(model);
    EXPECT_GE(layers.size(), 8u) << family.name;
    std::set<std::pair<std::string, std::vector<int64_t>>> weights;
    for (const ParameterShape& shape : parameter_shapes(model))
      weights.emplace(shape.name, shape.shape);
    for (const LinearShape& layer : layers)
      EXPECT_TRUE(weights.contains({layer.name + ".weight", {layer.out, layer.in}})) << layer.name;
  }
}

TEST(Adapter, CountsTheMatricesOfItsLayers) {
  const auto shapes = adapter_shapes({{"a.q_proj", 6, 4}}, 2);
  ASSERT_EQ(shapes.size(), 2u);
  EXPECT_EQ(shapes[0].name, "a.q_proj.lora_A.weight");
  EXPECT_EQ(shapes[0].shape, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(shapes[1].name, "a.q_proj.lora_B.weight");
  EXPECT_EQ(shapes[1].shape, (std::vector<int64_t>{6, 2}));
}

TEST(Adapter, ScalesByTheRankOrItsRoot) {
  AdapterConfig config;
  config.alpha = 10;
  EXPECT_EQ(config.scale(3), 10.0 / 3);
  config.rank_stabilised = true;
  EXPECT_EQ(config.scale(3), 10.0 / std::sqrt(3.0));
}

TEST(AdapterConfigJson, ReadsBackWhatItWrote) {
  AdapterConfig config;
  config.rank = 5;
  config.alpha = 12.5;
  config.dropout = 0.25;
  config.rank_stabilised = true;
  const auto layers = adapted_layers(small_model("llama"), {"all-linear"}, "here");
  const json::Value text = to_peft_json(config, layers, "the/base");
  EXPECT_EQ(text.at("base_model_name_or_path", "").as_string(""), "the/base");
  EXPECT_EQ(text.at("target_modules", "").as_array("").size(), 7u);
  const TemporaryFolder folder;
  folder.write("adapter_config.json", json::dump(text));
  const AdapterConfig read = read_adapter_config(folder.path());
  EXPECT_EQ(read.rank, 5);
  EXPECT_EQ(read.alpha, 12.5);
  EXPECT_EQ(read.dropout, 0.25);
  EXPECT_TRUE(read.rank_stabilised);
}

TEST(AdapterConfigJson, WritesTheTargetsAsTheyWereNamed) {
  AdapterConfig config;
  config.targets = {"v_proj", "layers.1.mlp.down_proj"};
  const auto layers = adapted_layers(small_model("llama"), config.targets, "here");
  EXPECT_EQ(json::dump(to_peft_json(config, layers, "b").at("target_modules", "")),
            R"(["v_proj","layers.1.mlp.down_proj"])");
}

/// What is said of {"r": 4, "lora_alpha": 8} with one more key.
std::string refusal(const std::string& key, const json::Value& value) {
  json::Value config = json::Object{{"r", 4}, {"lora_alpha", 8}};
  config.set(key, value);
  const TemporaryFolder folder;
  folder.write("adapter_config.json", json::dump(config));
  try {
    read_adapter_config(folder.path());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    const std::string text = error.what();
    return text.substr(text.find("adapter_config.json"));
  }
  return "";
}

TEST(AdapterConfigJson, RefusesKindsThatAreNotBuilt) {
  const std::string end =
      " is a kind of adapter that is not built; merge it into its base model with PEFT "
      "(merge_and_unload), and give that";
  EXPECT_EQ(refusal("use_dora", true), "adapter_config.json: use_dora: true" + end);
  EXPECT_EQ(refusal("bias", "all"), "adapter_config.json: bias: \"all\"" + end);
  EXPECT_EQ(refusal("alpha_pattern", json::Object{{"q_proj", 3}}),
            "adapter_config.json: alpha_pattern: {\"q_proj\":3}" + end);
  EXPECT_EQ(refusal("target_parameters", json::Array{"gate_up_proj"}),
            "adapter_config.json: target_parameters: [\"gate_up_proj\"]" + end);
  EXPECT_EQ(refusal("peft_type", "IA3"),
            "adapter_config.json: peft_type: is \"IA3\"; known: \"LORA\"");
  EXPECT_EQ(refusal("init_lora_weights", "pissa"),
            "adapter_config.json: init_lora_weights: \"pissa\" changes the base model's own "
            "weights; merge it into its base model with PEFT (merge_and_unload), and give that");
  EXPECT_EQ(refusal("r", 0), "adapter_config.json: r: 0 is no rank; a rank is 1 … 65536");
}

TEST(AdapterConfigJson, TakesWhatSaysNothingElse) {
  for (const auto& [key, value] : {std::pair<const char*, json::Value>{"bias", "none"},
                                   {"use_dora", false},
                                   {"modules_to_save", nullptr},
                                   {"alpha_pattern", json::Object{}},
                                   {"rank_pattern", json::Object{{"q_proj", 2}}},
                                   {"init_lora_weights", "gaussian"},
                                   {"init_lora_weights", false},
                                   {"target_modules", "all-linear"}}) {
    EXPECT_EQ(refusal(key, value), "") << key;
  }
}

}  // namespace
}  // namespace cupel::llm

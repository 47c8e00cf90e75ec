#include "nn/llm/gguf_target.h"

#include <gtest/gtest.h>

#include "nn/llm/model_files.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ModelConfig family_config(const std::string& name) {
  return read_model_config(std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/families" /
                           name / "config.json");
}

/// The config that a file of `config`'s metadata is read as. The reader takes the vocabulary, and
/// whether the head is tied, from the tensors.
json::Value read_back(const ModelConfig& config) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  GgufMetadata metadata;
  add_gguf_config(config, GgufType::f16, metadata);
  const auto zeros = [&](const char* name, std::vector<int64_t> shape) {
    SourceTensor tensor{name, shape, "", [shape](int64_t begin, int64_t end, float* out) {
                          std::fill_n(out, (end - begin) * shape.back(), 0.0F);
                        }};
    return tensor;
  };
  std::vector<SourceTensor> tensors{zeros("token_embd.weight", {config.vocab_size, 1})};
  if (!config.tie_word_embeddings)
    tensors.push_back(zeros("output.weight", {config.vocab_size, 1}));
  if (config.attention_bias) {
    tensors.push_back(zeros("blk.0.attn_q.bias", {1}));
    tensors.push_back(zeros("blk.0.attn_kv_a_mqa.bias", {1}));
  }
  if (config.mlp_bias) tensors.push_back(zeros("blk.0.ffn_gate.bias", {1}));
  write_gguf(folder / "m.gguf", metadata, gguf_outputs(std::move(tensors), GgufType::f32));
  return to_hf_json(model_config_of(folder / "m.gguf"));
}

/// `lost`: what a GGUF has no place for.
void expect_kept(ModelConfig config, const std::vector<std::string>& lost = {}) {
  const json::Value want = to_hf_json(config), got = read_back(config);
  for (const auto& [key, value] : want.as_object("")) {
    if (std::ranges::find(lost, key) != lost.end()) continue;
    const json::Value* found = got.find(key);
    ASSERT_NE(found, nullptr) << config.family << ": " << key;
    EXPECT_EQ(json::dump(*found), json::dump(value)) << config.family << ": " << key;
  }
}

TEST(GgufTarget, KeepsTheConfigOfEveryFamily) {
  const std::vector<std::string> window{"use_sliding_window", "sliding_window",
                                        "max_window_layers"};
  expect_kept(family_config("qwen2"), window);
  expect_kept(family_config("qwen3"), window);
  ModelConfig experts = family_config("qwen3_moe");
  experts.mlp_only_layers.clear();
  expect_kept(experts, window);
  expect_kept(family_config("deepseek_v2_groups"));
  expect_kept(family_config("deepseek_v3"));
  ModelConfig mistral = family_config("mistral");
  expect_kept(mistral, {"model_type", "architectures", "sliding_window"});
}

TEST(GgufTarget, KeepsContextExtension) {
  ModelConfig llama = family_config("llama");
  llama.rope_scaling->original_max_position_embeddings = 8192;
  EXPECT_THAT(gguf_fit(llama).problems, IsEmpty());
  ModelConfig yarn = family_config("deepseek_v2_greedy");
  yarn.rope_scaling->mscale = yarn.rope_scaling->mscale_all_dim = 0.7;
  expect_kept(yarn);
}

TEST(GgufTarget, CallsAModelThatChoosesFromAllGroupsOneWithoutThem) {
  ModelConfig config = family_config("deepseek_v3");
  config.topk_group = config.n_group;
  const json::Value got = read_back(config);
  EXPECT_EQ(got.at("n_group", "").as_int(""), 1);
  EXPECT_EQ(got.at("topk_group", "").as_int(""), 1);
}

TEST(GgufTarget, SaysWhatWouldBecomeAnotherModel) {
  EXPECT_THAT(gguf_fit(family_config("llama")).problems,
              ElementsAre(HasSubstr("llama3 with other settings")));
  EXPECT_THAT(gguf_fit(family_config("deepseek_v2_greedy")).problems,
              ElementsAre(HasSubstr("these mscale")));
  EXPECT_THAT(gguf_fit(family_config("qwen3_moe")).problems,
              ElementsAre(HasSubstr("layers without experts")));
  EXPECT_THAT(gguf_fit(family_config("qwen3_moe_step")).problems,
              ElementsAre(HasSubstr("do not sum to one"), HasSubstr("layers without experts")));
  ModelConfig halves = family_config("deepseek_v3");
  halves.rope_interleave = false;
  EXPECT_THAT([&] { require_gguf_fit(halves, "m"); },
              throws_error(ErrorKind::config,
                           "m: a GGUF file has no place for rotary pairs that are halves"));
  ModelConfig factor = family_config("qwen2");
  factor.rope_scaling->attention_factor = 1.5;
  factor.rope_scaling->truncate = false;
  EXPECT_EQ(gguf_fit(factor).problems.size(), 2u);
}

TEST(GgufTarget, TellsOfModelAndTokenizerBeforeAnyWeightIsRead) {
  BpeTrainOptions options;
  options.vocab_size = 257;
  const Tokenizer tokenizer = Tokenizer::train({{{}, "plain words", 0}}, options);
  const GgufHead head = gguf_head(family_config("mistral"), tokenizer, {.where = "m"}, {});
  EXPECT_THAT(head.notes, ElementsAre(HasSubstr("windows")));
  EXPECT_GT(head.metadata.count(), 20u);
  EXPECT_THAT([&] { gguf_head(family_config("llama"), tokenizer, {.where = "m"}, {}); },
              throws_error(ErrorKind::config, "m: a GGUF file has no place for rope_scaling"));
}

TEST(GgufTarget, SaysWhatIsLeftOutOrOtherwiseInLlamaCpp) {
  EXPECT_THAT(gguf_fit(family_config("mistral")).notes, ElementsAre(HasSubstr("windows")));
  ModelConfig deepseek = family_config("deepseek_v3");
  deepseek.num_nextn_predict_layers = 1;
  deepseek.n_shared_experts = 0;
  EXPECT_THAT(gguf_fit(deepseek).notes,
              ElementsAre(HasSubstr("multi-token"), HasSubstr("biases"), HasSubstr("shared")));
  EXPECT_THAT(gguf_fit(family_config("deepseek_v2_groups")).notes,
              ElementsAre(HasSubstr("biases"), HasSubstr("best two scores")));
  ModelConfig yarn = family_config("deepseek_v2_greedy");
  yarn.rope_scaling->mscale = yarn.rope_scaling->mscale_all_dim = 0;
  EXPECT_THAT(gguf_fit(yarn).notes, ElementsAre(HasSubstr("no mscale_all_dim")));
  ModelConfig plain = family_config("llama");
  plain.rope_scaling.reset();
  EXPECT_THAT(gguf_fit(plain).notes, IsEmpty());
}

TEST(GgufTarget, KeepsVectorsRoutersAndOddRowsInFp32) {
  const auto type = [](const char* name, std::vector<int64_t> shape, GgufType wanted) {
    return gguf_outputs({{name, std::move(shape), "", [](int64_t, int64_t, float*) {}}}, wanted)
        .at(0)
        .type;
  };
  EXPECT_EQ(type("blk.0.attn_q.weight", {4, 64}, GgufType::f16), GgufType::f16);
  EXPECT_EQ(type("blk.0.attn_q.bias", {64}, GgufType::f16), GgufType::f32);
  EXPECT_EQ(type("blk.0.ffn_gate_inp.weight", {4, 64}, GgufType::f16), GgufType::f32);
  EXPECT_EQ(type("blk.0.ffn_up_exps.weight", {2, 4, 64}, GgufType::q8_0), GgufType::q8_0);
  EXPECT_EQ(type("blk.0.ffn_up.weight", {4, 48}, GgufType::q8_0), GgufType::f32);
}

}  // namespace
}  // namespace cupel::llm

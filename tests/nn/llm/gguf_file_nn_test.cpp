// Models of every family as GGUF files: read again they give the same logits.
#include "nn/llm/gguf_file_nn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/model_files.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

Tokenizer words_tokenizer() {
  BpeTrainOptions options;
  options.vocab_size = 262;
  return Tokenizer::train({{{}, "plain words of no meaning", 0}}, options);
}

ModelConfig small_config(const std::string& family) {
  ModelConfig config;
  config.family = family;
  config.vocab_size = 270;
  config.hidden_size = 32;
  config.intermediate_size = 48;
  config.num_hidden_layers = 2;
  config.num_attention_heads = 4;
  config.max_position_embeddings = 128;
  if (!family.starts_with("deepseek")) config.num_key_value_heads = 2;
  if (family.starts_with("deepseek")) {
    config.kv_lora_rank = 12;
    config.qk_nope_head_dim = 6;
    config.qk_rope_head_dim = 8;
    config.v_head_dim = 10;
  }
  if (family == "qwen3_moe" || family.starts_with("deepseek")) {
    config.n_routed_experts = 6;
    config.num_experts_per_tok = 2;
    config.moe_intermediate_size = 24;
  }
  return config;
}

std::unique_ptr<Decoder> random_decoder(const ModelConfig& config) {
  auto decoder = std::make_unique<Decoder>(config);
  at::NoGradGuard no_grad;
  fill_randomly(*decoder, 0.2);
  return decoder;
}

at::Tensor logits_of_decoder(Decoder& decoder) {
  at::NoGradGuard no_grad;
  return decoder.logits(at::arange(60, at::kLong).view({2, 30}));
}

/// The logits of the file, and the notes that came with it.
struct Again {
  at::Tensor logits;
  std::vector<std::string> notes;
};
Again written_and_read(const Decoder& decoder, GgufType type) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const Tokenizer tokenizer = words_tokenizer();
  Again again;
  const GgufHead head = gguf_head(decoder.config(), tokenizer,
                                  {.where = "m", .vocab_size = decoder.config().vocab_size}, type);
  save_gguf(folder / "m.gguf", decoder, head);
  again.notes = head.notes;
  Decoder read(model_config_of(folder / "m.gguf"));
  load_weights(folder / "m.gguf", read);
  again.logits = logits_of_decoder(read);
  return again;
}

void expect_same_logits(const ModelConfig& config) {
  const auto decoder = random_decoder(config);
  const at::Tensor before = logits_of_decoder(*decoder);
  EXPECT_TRUE(at::equal(written_and_read(*decoder, GgufType::f32).logits, before)) << config.family;
  EXPECT_LT(relative_gap(written_and_read(*decoder, GgufType::f16).logits, before), 0.02)
      << config.family;
}

TEST(GgufFile, GivesEveryFamilysLogitsBitForBitInFp32) {
  for (const char* family :
       {"llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "deepseek_v2", "deepseek_v3"})
    expect_same_logits(small_config(family));
}

TEST(GgufFile, KeepsBiasesTiedHeadsGroupsAndContextExtension) {
  ModelConfig llama = small_config("llama");
  llama.attention_bias = llama.mlp_bias = llama.tie_word_embeddings = true;
  llama.rope_theta = 500000;
  llama.rope_scaling = RopeScaling{.type = "llama3", .factor = 8};
  llama.rope_scaling->original_max_position_embeddings = 8192;
  expect_same_logits(llama);
  ModelConfig qwen = small_config("qwen2");
  qwen.rope_scaling = RopeScaling{.type = "yarn", .factor = 4};
  qwen.rope_scaling->original_max_position_embeddings = 32;
  expect_same_logits(qwen);
  ModelConfig deepseek = small_config("deepseek_v3");
  deepseek.q_lora_rank = 16;
  deepseek.n_group = 3;
  deepseek.topk_group = 2;
  deepseek.n_shared_experts = 2;
  deepseek.routed_scaling_factor = 2.5;
  deepseek.rope_scaling = RopeScaling{.type = "yarn", .factor = 4};
  deepseek.rope_scaling->original_max_position_embeddings = 32;
  deepseek.rope_scaling->mscale = deepseek.rope_scaling->mscale_all_dim = 0.7;
  expect_same_logits(deepseek);
}

TEST(GgufFile, LeavesLayersOfPredictionOut) {
  ModelConfig config = small_config("deepseek_v3");
  config.num_nextn_predict_layers = 1;
  const auto decoder = random_decoder(config);
  const Again again = written_and_read(*decoder, GgufType::f32);
  EXPECT_TRUE(at::equal(again.logits, logits_of_decoder(*decoder)));
  EXPECT_THAT(again.notes, testing::ElementsAre(testing::HasSubstr("multi-token prediction")));
}

TEST(GgufFile, IsTheSameBytesEveryTime) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto decoder = random_decoder(small_config("qwen3_moe"));
  const Tokenizer tokenizer = words_tokenizer();
  const GgufHead head =
      gguf_head(decoder->config(), tokenizer, {.where = "m", .vocab_size = 270}, GgufType::q8_0);
  for (const char* name : {"a.gguf", "b.gguf"}) save_gguf(folder / name, *decoder, head);
  EXPECT_EQ(read_file(folder / "a.gguf"), read_file(folder / "b.gguf"));
  EXPECT_EQ(load_tokenizer(folder / "a.gguf").encode("plain words"),
            tokenizer.encode("plain words"));
}

}  // namespace
}  // namespace cupel::llm

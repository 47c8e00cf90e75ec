#include "nn/llm/gguf_model.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/machine.h"
#include "nn/llm/model_files.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/gguf_bytes.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kGgufFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

/// config.json of the fixture's two forms, as one text each; keys that GGUF does not have are taken
/// from the published one.
void expect_same_config(const std::string& name, const std::vector<std::string>& not_stored = {}) {
  const json::Value want =
      to_hf_json(read_model_config(kGgufFixtures / "families" / name / "config.json"));
  json::Value got = to_hf_json(model_config_of(kGgufFixtures / "gguf_files" / (name + ".gguf")));
  for (const std::string& key : not_stored) {
    if (const json::Value* value = want.find(key)) got.set(key, *value);
  }
  for (const auto& [key, value] : want.as_object("")) {
    const json::Value* found = got.find(key);
    ASSERT_NE(found, nullptr) << name << ": " << key;
    EXPECT_EQ(json::dump(*found), json::dump(value)) << name << ": " << key;
  }
}

TEST(GgufModel, HasTheConfigThatItWasMadeFrom) {
  // llama.cpp has one window for all layers of some families and none in these.
  const std::vector<std::string> window{"use_sliding_window", "sliding_window",
                                        "max_window_layers"};
  expect_same_config("qwen2", window);
  expect_same_config("qwen3", window);
  expect_same_config("qwen3_moe", {"use_sliding_window", "sliding_window", "max_window_layers",
                                   "mlp_only_layers"});
  expect_same_config("deepseek_v2_groups");
  expect_same_config("deepseek_v3", {"rope_interleave"});
}

TEST(GgufModel, TakesMistralForTheLlamaThatItIs) {
  const ModelConfig config = model_config_of(kGgufFixtures / "gguf_files/mistral.gguf");
  EXPECT_EQ(config.family, "llama");
  EXPECT_EQ(config.head_dim, 6);
  EXPECT_EQ(config.num_key_value_heads, 2);
  EXPECT_EQ(config.rope_theta, 1000000);
  EXPECT_EQ(config.rms_norm_eps, 1e-5);
  EXPECT_FALSE(config.tie_word_embeddings);
}

TEST(GgufModel, ReadsLlama3sContextExtensionBackFromItsDivisors) {
  const ModelConfig config = model_config_of(kGgufFixtures / "gguf_files/llama.gguf");
  ASSERT_TRUE(config.rope_scaling);
  EXPECT_EQ(config.rope_scaling->type, "llama3");
  EXPECT_EQ(config.rope_scaling->factor, 8);
  EXPECT_EQ(config.rope_scaling->low_freq_factor, 1);
  EXPECT_EQ(config.rope_scaling->high_freq_factor, 4);
  EXPECT_EQ(config.rope_scaling->original_max_position_embeddings, 8192);
  EXPECT_TRUE(config.attention_bias && config.mlp_bias && config.tie_word_embeddings);
}

TEST(GgufModel, TakesYarnsTwoFactorsFromTheOneThatIsStored) {
  const ModelConfig config = model_config_of(kGgufFixtures / "gguf_files/deepseek_v2_greedy.gguf");
  ASSERT_TRUE(config.rope_scaling);
  EXPECT_EQ(config.rope_scaling->type, "yarn");
  EXPECT_EQ(config.rope_scaling->factor, 4);
  EXPECT_EQ(config.rope_scaling->original_max_position_embeddings, 16);
  EXPECT_EQ(config.rope_scaling->mscale, 1);
  EXPECT_EQ(config.rope_scaling->mscale_all_dim, 1);
  EXPECT_EQ(config.qk_nope_head_dim, 6);
  EXPECT_EQ(config.v_head_dim, 5);
  EXPECT_EQ(config.q_lora_rank, std::nullopt);
}

/// A llama of one layer, and `more` on top of its 6 entries.
void expect_refused(ErrorKind kind, const std::string& text, uint64_t more,
                    const std::function<void(GgufBytes&)>& add,
                    const std::string& architecture = "llama") {
  GgufBytes file;
  const std::string prefix = architecture + ".";
  file.header(1, 6 + more).entry("general.architecture", std::string_view(architecture));
  file.entry(prefix + "embedding_length", 8u).entry(prefix + "feed_forward_length", 8u);
  file.entry(prefix + "block_count", 1u).entry(prefix + "attention.head_count", 2u);
  file.entry(prefix + "context_length", 64u);
  add(file);
  file.tensor("token_embd.weight", {8, 4}, 0, 0).pad().zeros(128);
  const TemporaryFolder folder;
  EXPECT_THAT([&] { gguf_config(Gguf::open(folder.write("m.gguf", file.bytes))); },
              throws_error(kind, text));
}

TEST(GgufModel, RefusesWhatItDoesNotBuild) {
  constexpr ErrorKind kConfig = ErrorKind::config;
  const auto nothing = [](GgufBytes&) {};
  expect_refused(
      kConfig, "m.gguf: general.architecture: unknown architecture \"gemma\"; known: llama, qwen2",
      0, nothing, "gemma");
  expect_refused(kConfig, "m.gguf: is one of 3 parts; put them together with llama.cpp's", 1,
                 [](GgufBytes& f) { f.entry("split.count", 3u); });
  expect_refused(kConfig, "llama.expert_count: experts of Mixtral are not supported", 1,
                 [](GgufBytes& f) { f.entry("llama.expert_count", 8u); });
  expect_refused(kConfig, "llama.rope.scaling.type: \"linear\" is not supported; known: none, yarn",
                 1, [](GgufBytes& f) { f.entry("llama.rope.scaling.type", "linear"); });
  expect_refused(kConfig, "2 of a head's 4 dimensions are rotated; only all is supported", 1,
                 [](GgufBytes& f) { f.entry("llama.rope.dimension_count", 2u); });
  expect_refused(kConfig, "llama.attention.head_count_kv: differs from layer to layer", 1,
                 [](GgufBytes& f) {
                   f.entry("llama.attention.head_count_kv", std::vector<int32_t>{2, 1});
                 });
  expect_refused(
      kConfig, "deepseek2.expert_gating_func: 3 is not supported; known: 1 (softmax), 2 (sigmoid)",
      1, [](GgufBytes& f) { f.entry("deepseek2.expert_gating_func", 3u); }, "deepseek2");
  expect_refused(ErrorKind::data, "missing key \"deepseek2.rope.dimension_count\"", 0, nothing,
                 "deepseek2");
}

TEST(GgufModel, RefusesOtherDivisorsThanLlama3sAndMakesNoneOfAHeadThatIsNoTensors) {
  for (const uint32_t width : {8u, 0xffff'fff0u}) {
    GgufBytes file;
    file.header(2, 6).entry("general.architecture", "llama").entry("llama.embedding_length", width);
    file.entry("llama.feed_forward_length", 8u).entry("llama.block_count", 1u);
    file.entry("llama.attention.head_count", 2u).entry("llama.context_length", 64u);
    file.tensor("token_embd.weight", {8, 4}, 0, 0).tensor("rope_freqs.weight", {2}, 0, 128);
    file.pad().zeros(136);
    const TemporaryFolder folder;
    const int64_t before = peak_memory_bytes();
    EXPECT_THAT(
        [&] { gguf_config(Gguf::open(folder.write("m.gguf", file.bytes))); },
        throws_error(ErrorKind::config, "rope_freqs.weight: are not Llama 3's frequencies"));
    EXPECT_LT(peak_memory_bytes() - before, 64 << 20);
  }
}

}  // namespace
}  // namespace cupel::llm

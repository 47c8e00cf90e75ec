#include <gtest/gtest.h>

#include <cstring>

#include "data/gguf.h"
#include "nn/llm/gguf_layout.h"
#include "nn/llm/gguf_target.h"
#include "nn/llm/model_files.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kTargetFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/gguf_files";

/// The fixture, read and written again in fp16.
void write_again(const std::string& name, const std::filesystem::path& path) {
  const std::filesystem::path model = kTargetFixtures / (name + ".gguf");
  const ModelConfig config = model_config_of(model);
  GgufMetadata metadata;
  add_gguf_config(config, GgufType::f16, metadata);
  write_gguf(path, metadata,
             gguf_outputs(gguf_tensors(tensors_of(model, config), config), GgufType::f16));
}

std::vector<float> all_of(const SourceTensor& tensor) {
  const Extent extent = extent_of(tensor.shape);
  std::vector<float> numbers(static_cast<std::size_t>(extent.rows * extent.width));
  tensor.read(0, extent.rows, numbers.data());
  return numbers;
}

TEST(GgufTargetTensors, AreThoseOfTheFileThatAnotherWriterMade) {
  for (const std::string name :
       {"llama", "mistral", "qwen2", "qwen3", "qwen3_moe", "deepseek_v2_groups", "deepseek_v3"}) {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    write_again(name, folder / "m.gguf");
    const Gguf got = Gguf::open(folder / "m.gguf"),
               want = Gguf::open(kTargetFixtures / (name + ".gguf"));
    ASSERT_EQ(got.contents().tensors.size(), want.contents().tensors.size()) << name;
    for (const GgufTensor& tensor : want.contents().tensors) {
      const GgufTensor* found = got.tensor(tensor.name);
      ASSERT_NE(found, nullptr) << name << ": " << tensor.name;
      EXPECT_EQ(found->shape, tensor.shape) << name << ": " << tensor.name;
      ASSERT_EQ(found->type, tensor.type) << name << ": " << tensor.name;
      EXPECT_EQ(std::memcmp(found->data, tensor.data, static_cast<std::size_t>(tensor.bytes)), 0)
          << name << ": " << tensor.name;
    }
  }
}

TEST(GgufTargetTensors, AreReadBackAsTheyWere) {
  for (const std::string name : {"llama", "mistral", "qwen2", "qwen3", "qwen3_moe",
                                 "deepseek_v2_greedy", "deepseek_v2_groups", "deepseek_v3"}) {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    write_again(name, folder / "m.gguf");
    const std::filesystem::path model = kTargetFixtures / (name + ".gguf");
    const ModelConfig config = model_config_of(folder / "m.gguf");
    EXPECT_EQ(json::dump(to_hf_json(config)), json::dump(to_hf_json(model_config_of(model))))
        << name;
    const TensorSource got = tensors_of(folder / "m.gguf", config),
                       want = tensors_of(model, config);
    ASSERT_EQ(got.tensors.size(), want.tensors.size()) << name;
    for (const SourceTensor& tensor : want.tensors) {
      const SourceTensor* found = got.find(tensor.name);
      ASSERT_NE(found, nullptr) << name << ": " << tensor.name;
      EXPECT_EQ(found->shape, tensor.shape) << name << ": " << tensor.name;
      EXPECT_EQ(all_of(*found), all_of(tensor)) << name << ": " << tensor.name;
    }
  }
}

TEST(GgufTargetTensors, TurnsRowsBackAndForth) {
  for (const int64_t width : {2, 4, 6, 64}) {
    for (int64_t row = 0; row < 3 * width; ++row) {
      EXPECT_EQ(published_row(gguf_row(row, width), width), row);
      EXPECT_EQ(gguf_row(published_row(row, width), width), row);
    }
  }
}

TEST(GgufTargetTensors, StandLayerByLayerWithoutThoseOfPredictionOrATiedHead) {
  ModelConfig config;
  config.family = "llama";
  config.num_hidden_layers = 11;
  config.tie_word_embeddings = true;
  std::vector<SourceTensor> tensors;
  for (const char* name :
       {"lm_head.weight", "model.norm.weight", "model.embed_tokens.weight",
        "model.layers.10.mlp.up_proj.weight", "model.layers.2.mlp.up_proj.weight",
        "model.layers.11.mlp.up_proj.weight", "model.layers.2.input_layernorm.weight"})
    tensors.push_back({name, {4, 4}, "", [](int64_t, int64_t, float*) {}});
  std::vector<std::string> names;
  for (const SourceTensor& tensor : gguf_tensors(make_source(tensors, ""), config))
    names.push_back(tensor.name);
  EXPECT_EQ(names, (std::vector<std::string>{"token_embd.weight", "blk.2.attn_norm.weight",
                                             "blk.2.ffn_up.weight", "blk.10.ffn_up.weight",
                                             "output_norm.weight"}));
}

}  // namespace
}  // namespace cupel::llm

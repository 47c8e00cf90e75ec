#include <gtest/gtest.h>

#include <algorithm>

#include "nn/llm/gguf_model.h"
#include "nn/llm/model_files.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/gguf_bytes.h"

namespace cupel::llm {
namespace {

const std::filesystem::path kSourceFixtures =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures";

std::vector<float> numbers_of(const SourceTensor& tensor, int64_t rows_together) {
  const Extent extent = extent_of(tensor.shape);
  std::vector<float> numbers(static_cast<std::size_t>(extent.rows * extent.width));
  for (int64_t row = 0; row < extent.rows; row += rows_together) {
    const int64_t end = std::min(extent.rows, row + rows_together);
    tensor.read(row, end, numbers.data() + row * extent.width);
  }
  return numbers;
}

/// Each tensor of the published form equals the one of the GGUF file, whose layout the oracle made;
/// neither has a name that the other lacks.
void expect_same_model(const std::string& name) {
  const std::filesystem::path model = kSourceFixtures / "gguf_files" / (name + ".gguf");
  const TensorSource found = tensors_of(model, model_config_of(model));
  const TensorSource published = safetensors_source(kSourceFixtures / "families" / name);
  for (const SourceTensor& tensor : found.tensors) {
    std::string same = tensor.name;
    // GGUF knows no dense layer among qwen3moe's; the oracle repeated the experts of layer 1.
    const std::size_t dense = name == "qwen3_moe" ? same.find("layers.0.mlp.") : std::string::npos;
    if (dense != std::string::npos) same[dense + 7] = '1';
    const SourceTensor* want = published.find(same);
    ASSERT_NE(want, nullptr) << name << ": " << tensor.name;
    ASSERT_EQ(tensor.shape, want->shape) << name << ": " << tensor.name;
    EXPECT_EQ(tensor.problem, "") << name << ": " << tensor.name;
    for (const int64_t rows : {int64_t{1}, int64_t{7}, int64_t{1000}}) {
      EXPECT_EQ(numbers_of(tensor, rows), numbers_of(*want, 1000)) << name << ": " << tensor.name;
    }
  }
  for (const SourceTensor& tensor : published.tensors) {
    const bool dense =
        name == "qwen3_moe" && tensor.name.find("layers.0.mlp.") != std::string::npos;
    const bool head = tensor.name == "lm_head.weight";  // left out where it is tied
    EXPECT_TRUE(dense || head || found.find(tensor.name) != nullptr) << name << ": " << tensor.name;
  }
}

TEST(GgufSource, GivesLlamaAndMistralTheirRowsOfQueriesAndKeysBack) {
  expect_same_model("llama");
  expect_same_model("mistral");
}

TEST(GgufSource, LeavesTheRowsOfQwenAsTheyAre) {
  expect_same_model("qwen2");
  expect_same_model("qwen3");
}

TEST(GgufSource, TakesTheExpertsOfALayerApart) { expect_same_model("qwen3_moe"); }

TEST(GgufSource, PutsTheLatentsMatrixOfKeysAndValuesTogether) {
  expect_same_model("deepseek_v2_greedy");  // whole in the file
  expect_same_model("deepseek_v2_groups");
  expect_same_model("deepseek_v3");
}

/// A file of two-layer Llama shape with one odd tensor.
TensorSource source_with(const TemporaryFolder& folder, const std::string& name,
                         const std::vector<uint64_t>& sizes) {
  GgufBytes bytes;
  bytes.header(1, 0).tensor(name, sizes, 0, 0).pad().zeros(4096);
  ModelConfig config;
  config.family = "llama";
  config.head_dim = 4;
  const auto file = std::make_shared<const Gguf>(Gguf::open(folder.write("m.gguf", bytes.bytes)));
  return gguf_source(file, config);
}

TEST(GgufSource, KeepsNamesThatItDoesNotKnow) {
  const TemporaryFolder folder;
  for (const char* name : {"other", "blk.0.attn_sinks.weight", "blk..attn_q.weight",
                           "blk.x.ffn_up.weight", "blk.0", "blk.0.weight", "v.blk.0.attn_q.weight"})
    EXPECT_EQ(source_with(folder, name, {4}).tensors.at(0).name, name);
  EXPECT_EQ(source_with(folder, "blk.12.ffn_up.weight", {4}).tensors.at(0).name,
            "model.layers.12.mlp.up_proj.weight");
  EXPECT_EQ(source_with(folder, "blk.0.ffn_up_exps.weight", {1, 1, 9}).tensors.at(0).name,
            "model.layers.0.up_proj.weight");  // more experts than the model has
}

TEST(GgufSource, SaysWhyARowCannotBePutBack) {
  const TemporaryFolder folder;
  EXPECT_EQ(source_with(folder, "blk.0.attn_q.weight", {2, 6}).tensors.at(0).problem,
            "not made of heads of 4 rows");
  EXPECT_EQ(source_with(folder, "blk.0.attn_q.weight", {2, 8}).tensors.at(0).problem, "");
}

}  // namespace
}  // namespace cupel::llm

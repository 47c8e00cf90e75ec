#include "pipeline/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>

#include "base/atomic_file.h"
#include "base/run.h"
#include "data/safetensors.h"
#include "data/tokenizer/tokenizer.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/rows.h"

namespace cupel::pipeline::inspect {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kTinyModel = CUPEL_SOURCE_DIR "/tests/fixtures/deepseek_v3_tiny/default";

Report look(const std::filesystem::path& path, int64_t tensors = 200) {
  return inspect::run({.path = {path.string()}, .rows = 2, .tensors = tensors});
}

void write_weights(const std::filesystem::path& path) {
  static const std::vector<std::byte> zeros(64);
  write_safetensors(path, {{"a", Dtype::f32, {2, 3}, zeros.data(), 24},
                           {"b", Dtype::bf16, {4}, zeros.data(), 8}});
}

TEST(Inspect, CountsTheParametersOfAFile) {
  const TemporaryFolder folder;
  write_weights(folder / "w.safetensors");
  const Report report = look(folder / "w.safetensors");
  EXPECT_EQ(report.kind, "weights");
  EXPECT_EQ(report.weights->parameters, 10);
  EXPECT_EQ(report.weights->tensors, 2);
  EXPECT_EQ(report.weights->parameters_by_dtype.at("BF16"), 4);
  EXPECT_THAT(report.weights->first[0].shape, ElementsAre(2, 3));
}

TEST(Inspect, KnowsAModelFolderByItsConfig) {
  const Report report = look(kTinyModel, 3);
  EXPECT_EQ(report.kind, "model");
  ASSERT_TRUE(report.config.has_value());
  EXPECT_EQ(report.config->family, "deepseek_v3");
  ASSERT_TRUE(report.weights.has_value());
  EXPECT_EQ(report.weights->first.size(), 3u);
  EXPECT_GT(report.weights->tensors, 3);
  EXPECT_THAT(report.notes, IsEmpty());
}

TEST(Inspect, AnUnknownArchitectureIsANoteNotAFailure) {
  const TemporaryFolder folder;
  folder.write("config.json", R"({"model_type": "mamba", "architectures": ["MambaForCausalLM"]})");
  write_weights(folder / "model.safetensors");
  const Report report = look(folder.path());
  EXPECT_EQ(report.weights->parameters, 10);
  EXPECT_FALSE(report.config.has_value());
  EXPECT_THAT(report.notes, ElementsAre(HasSubstr("mamba")));
}

TEST(Inspect, ADamagedFileIsAnError) {
  const TemporaryFolder folder;
  const std::string hostile = "\xff\xff\xff\xff\xff\xff\xff\x7f{}";
  EXPECT_THAT([&] { look(folder.write("w.safetensors", hostile)); },
              throws_error(ErrorKind::data, "w.safetensors"));
}

TEST(Inspect, ReadsATokenizer) {
  const TemporaryFolder folder;
  Tokenizer::train({{"", "low lower lowest", 1}},
                   {.vocab_size = 260, .pattern = {}, .bos_token = {}})
      .save(folder.path());
  const Report report = look(folder / "tokenizer.json");
  EXPECT_EQ(report.kind, "tokenizer");
  EXPECT_EQ(report.tokenizer->vocab_size, 260);
  EXPECT_THAT(report.tokenizer->special_tokens, ElementsAre("<|endoftext|>"));
  EXPECT_EQ(report.tokenizer->eos, "<|endoftext|>");
}

TEST(Inspect, CountsRowsColumnsAndRejects) {
  const TemporaryFolder folder;
  const Report report =
      look(folder.write("d.jsonl", jsonl_rows(5) + "{\"id\": \"x\", \"extra\": null}\nnot json\n"));
  EXPECT_EQ(report.kind, "data");
  EXPECT_EQ(report.data->rows, 7);
  EXPECT_EQ(report.data->rejected, 1);
  EXPECT_EQ(report.data->first.size(), 2u);
  ASSERT_EQ(report.data->columns.size(), 3u);
  EXPECT_EQ(report.data->columns[0].type, "mixed");
  EXPECT_EQ(report.data->columns[1].type, "text");
  EXPECT_EQ(report.data->columns[1].rows, 5);
  EXPECT_EQ(report.data->rejects_by_rule.size(), 1u);
}

TEST(Inspect, OneSplitOfAFileOfSplitsIsCounted) {
  const TemporaryFolder folder;
  const auto path =
      folder.write("d.json", R"({"train": [{"a": 1}, {"a": 2}], "test": [{"a": 3}]})");
  EXPECT_EQ(inspect::run({.path = {path.string()}, .split = "train"}).data->rows, 2);
  EXPECT_THAT([&] { look(path); }, throws_error(ErrorKind::config, "object of splits"));
}

TEST(Inspect, ManyFieldsAndLongRowsAreBounded) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  json::Object row;
  for (int i = 0; i < 500; ++i)
    row.emplace_back("field" + std::to_string(i), std::string(100, 'x'));
  const Report report = look(folder.write("d.jsonl", json::dump(row) + "\n"));
  EXPECT_EQ(report.data->columns.size(), 100u);
  EXPECT_LT(report.data->first[0].size(), 310u);
}

TEST(Inspect, TellsWhatARunHasDone) {
  const TemporaryFolder folder;
  RunOptions options;
  options.folder = folder / "run";
  options.config = "train: {}\n";
  options.threads = 1;
  {
    cupel::Run run(options);
    run.write("checkpoint-20/state.json", "{}");
    run.finish("train", json::Object{{"val_loss", 1.5}, {"step_ms", json::Object{{"p50", 7}}}});
  }
  const Report report = look(folder / "run");
  EXPECT_EQ(report.kind, "run");
  EXPECT_EQ(report.run->status, "finished");
  EXPECT_EQ(report.run->figures.at("train.step_ms.p50"), 7);
  EXPECT_EQ(report.run->fingerprint.size(), 64u);
  EXPECT_THAT(report.run->checkpoints, ElementsAre(20));
  EXPECT_THAT(report.notes, Contains(HasSubstr("manifest")));  // this checkpoint has none
}

TEST(Inspect, SaysWhatItCannotName) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { look(folder.path()); },
              throws_error(ErrorKind::config, "is neither a model nor a run"));
  EXPECT_THAT([&] { look(folder / "none"); }, throws_error(ErrorKind::config, "no such file"));
  EXPECT_THAT([&] { look(folder.write("x.bin", "abc")); },
              throws_error(ErrorKind::config, "pickle files can run code"));
}

}  // namespace
}  // namespace cupel::pipeline::inspect

#include "compress/language.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "compress/language_codes.h"
#include "compress/small_language.h"
#include "data/cb4.h"
#include "data/gguf.h"
#include "nn/llm/gguf_beside.h"
#include "nn/llm/gguf_target.h"
#include "nn/llm/model_files.h"
#include "nn/llm/stored_format.h"
#include "support/errors.h"
#include "support/random_classifier.h"

namespace cupel::compress {
namespace {

using testing::HasSubstr;

TEST(CompressLanguage, WritesAGgufInCodesThatIsReadAndMeasuredAsSuch) {
  const SmallLanguage task;
  Config config = task.config();
  config.measure.emplace();
  config.measure->data = task.data();
  config.measure->runs = 2;
  cupel::Run run({.folder = task / "run"});
  const Report report = compress::run(config, {}, run);
  EXPECT_EQ(report.model, "model.gguf");
  EXPECT_LT(report.bytes.after, report.bytes.before / 3);
  ASSERT_EQ(report.language.size(), 3u);
  EXPECT_EQ(report.language[1].name, "w4");
  EXPECT_GT(report.language[1].kl_divergence, 0);
  EXPECT_LT(report.language[2].kl_divergence, 3 * report.language[1].kl_divergence);
  EXPECT_THAT(report.details(), HasSubstr("\n  w4a8  "));

  const Gguf file = Gguf::open(task / "run/model.gguf");
  EXPECT_EQ(file.tensor("blk.1.attn_q.weight")->type, GgufType::iq4_nl);
  EXPECT_EQ(file.tensor("token_embd.weight")->type, GgufType::q8_0);
  EXPECT_EQ(file.tensor("blk.0.attn_norm.weight")->type, GgufType::f32);
  EXPECT_EQ(llm::stored_format(task / "run/model.gguf").layers.linear, nn::LinearFormat::cb4);
}

TEST(CompressLanguage, CodesComeBackFromTheFileAsTheyWere) {
  const SmallLanguage task;
  cupel::Run run({.folder = task / "run"});
  compress::run(task.config(), {}, run);
  const std::filesystem::path written = task / "run/model.gguf";
  const llm::ModelConfig shape = llm::model_config_of(written);
  const llm::TensorSource source = llm::tensors_of(written, shape);
  for (const char* name :
       {"model.layers.0.self_attn.k_proj.weight", "model.layers.1.mlp.up_proj.weight"}) {
    const llm::SourceTensor* tensor = source.find(name);
    ASSERT_TRUE(tensor->read_codes) << name;
    const int64_t rows = tensor->shape[0], cols = tensor->shape[1];
    std::vector<float> numbers(static_cast<std::size_t>(rows * cols)), decoded(numbers.size());
    std::vector<std::byte> blocks(static_cast<std::size_t>(rows * cb4::row_bytes(cols)));
    tensor->read(0, rows, numbers.data());
    tensor->read_codes(0, rows, blocks.data());
    dequantise(GgufType::iq4_nl, blocks.data(), rows * cols, decoded.data());
    EXPECT_EQ(numbers, decoded) << name << ": rows of a head are turned alike";
  }
}

TEST(CompressLanguage, AFileWithOneFinerLinearLayerIsComputedAsItIsStored) {
  const SmallLanguage task;
  cupel::Run run({.folder = task / "run"});
  const CodedLayers coded =
      encode_layers(task.source, task.shape(),
                    read_windows(task.data(), task.tokenizer, 64, 4, run), 32, run, "model");
  llm::TensorSource mixed = coded.source;
  std::ranges::find(mixed.tensors, "model.layers.1.mlp.down_proj.weight", &llm::SourceTensor::name)
      ->read_codes = nullptr;
  const llm::GgufHead head = llm::gguf_head(
      task.shape(), task.tokenizer,
      llm::gguf_beside(task.model(), task.tokenizer, task.shape().vocab_size), GgufType::iq4_nl);
  write_gguf(task / "mixed.gguf", head.metadata,
             llm::gguf_outputs(llm::gguf_tensors(mixed, task.shape()), GgufType::iq4_nl));
  EXPECT_EQ(llm::stored_format(task / "mixed.gguf").layers.linear, nn::LinearFormat::element);
}

TEST(CompressLanguage, SettingsOfClassifiersAreRefused) {
  const SmallLanguage task;
  Config config = task.config();
  config.prune.emplace();
  cupel::Run run({.folder = task / "run"});
  EXPECT_THAT([&] { compress::run(config, {}, run); },
              throws_error(ErrorKind::config, "prune: a language model is only quantized"));
}

TEST(CompressLanguage, KindsOfModelsAreToldApart) {
  const SmallLanguage task;
  EXPECT_TRUE(is_language_model(task.model()));
  EXPECT_FALSE(is_language_model(task / "nothing"));
  std::filesystem::create_directory(task / "classifier");
  write_random_classifier(task / "classifier");
  EXPECT_FALSE(is_language_model(task / "classifier"));
}

}  // namespace
}  // namespace cupel::compress

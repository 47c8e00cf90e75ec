#include <gtest/gtest.h>

#include <atomic>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/llm/weights_nn.h"
#include "pipeline/heavy.h"
#include "support/files.h"
#include "support/tensors_nn.h"

namespace cupel::pipeline {
namespace {

TEST(HeavyFunctions, AreAllThere) {
  const Heavy heavy = heavy_functions();
  EXPECT_NE(heavy.train, nullptr);
  EXPECT_NE(heavy.load_model, nullptr);
  EXPECT_EQ(heavy.libraries().at("libtorch", "").as_string(""), "2.11.0");
}

TEST(HeavyFunctions, LoadAModelThatWeighsText) {
  const TemporaryFolder folder;
  BpeTrainOptions options;
  options.vocab_size = 257;
  Tokenizer::train({{{}, "to be or not to be", 0}}, options).save(folder.path());
  llm::ModelConfig config;
  config.family = "llama";
  config.vocab_size = options.vocab_size;
  config.hidden_size = 16;
  config.num_hidden_layers = 1;
  llm::Decoder decoder(config);
  fill_randomly(decoder);
  llm::save_model(folder.path(), decoder, {});
  cupel::Run run({.threads = 1});
  const LanguageModel model = heavy_functions().load_model({folder.path().string()}, run);
  EXPECT_LT(model.likelihood("to be", " or not").log_likelihood, 0);
}

TrainStage small_training(augment::EmbeddingMethod method) {
  TrainStage config;
  config.model = llm::ModelConfig{};  // latent attention, experts, a prediction layer
  config.model->hidden_size = 32;
  config.model->intermediate_size = 64;
  config.model->num_hidden_layers = 2;
  config.model->moe_intermediate_size = 32;
  config.model->num_nextn_predict_layers = 1;
  config.tokenizer.vocab_size = 300;
  train::DatasetConfig& problems = config.datasets.emplace_back();
  problems.type = train::DatasetType::arithmetic;
  problems.rows = 200;
  config.sequence_len = 32;
  config.micro_batch_size = 2;
  config.gradient_accumulation_steps = 2;
  config.max_steps = 6;
  config.save_steps = 2;
  config.dropout = 0.1;
  config.precision = nn::Precision::bf16;
  config.gradient_checkpointing = true;
  config.augment.emplace().method = method;
  return config;
}

RunOptions options_of(const std::filesystem::path& folder, const std::atomic<bool>* stop = nullptr,
                      bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.seed = 3;
  options.threads = 2;
  options.stop = stop;
  options.resume = resume;
  options.clock = [] { return 0.0; };
  return options;
}

TEST(TrainWithHooks, ResumesAfterAStopToTheSameBits) {
  using augment::EmbeddingMethod;
  for (const auto method : {EmbeddingMethod::fgsm, EmbeddingMethod::pgd, EmbeddingMethod::freelb}) {
    const TemporaryFolder folder;
    const TrainStage config = small_training(method);
    const Heavy heavy = heavy_functions();
    {
      cupel::Run run(options_of(folder / "whole"));
      const TrainReport report = heavy.train(config, run);
      ASSERT_TRUE(report.augment.has_value());
      EXPECT_EQ(report.augment->steps, config.augment->resolved_steps());
      EXPECT_GT(report.augment->extra_step_ms, 0);
    }
    std::atomic<bool> stop = false;
    {
      cupel::Run run(options_of(folder / "cut", &stop));
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::progress && event.done == 3) stop = true;
      });
      EXPECT_THROW(heavy.train(config, run), Interrupted);
    }
    cupel::Run run(options_of(folder / "cut", nullptr, true));
    EXPECT_EQ(heavy.train(config, run).resumed_from, 3);
    for (const char* file : {"model/model.safetensors", "checkpoint-6/optimizer.safetensors"})
      EXPECT_EQ(sha256_file(folder / "whole" / file), sha256_file(folder / "cut" / file)) << file;
  }
}

struct MemoryFigures {
  double planned, measured;
};

MemoryFigures memory_of(const TrainStage& config) {
  const TemporaryFolder folder;
  cupel::Run run(options_of(folder / "run"));
  const TrainReport report = heavy_functions().train(config, run);
  return {static_cast<double>(report.planned_memory_bytes),
          static_cast<double>(report.peak_tensor_bytes)};
}

TEST(TrainWithHooks, PlanTheirPeakOfTensorMemoryAndWhatHooksAddToIt) {
  using augment::EmbeddingMethod;
  TrainStage config = small_training(EmbeddingMethod::fgsm);
  config.augment.reset();
  config.max_steps = 2;
  config.sequence_len = 64;
  config.micro_batch_size = 16;
  config.gradient_accumulation_steps = 1;
  config.gradient_checkpointing = false;
  const MemoryFigures plain = memory_of(config);
  EXPECT_NEAR(plain.planned / plain.measured, 1, 0.1);
  for (const auto method : {EmbeddingMethod::fgsm, EmbeddingMethod::pgd, EmbeddingMethod::freelb}) {
    config.augment.emplace().method = method;
    const MemoryFigures hooked = memory_of(config);
    EXPECT_NEAR(hooked.planned / hooked.measured, 1, 0.1) << name_of(method);
    EXPECT_NEAR((hooked.planned - plain.planned) / (hooked.measured - plain.measured), 1, 0.1)
        << name_of(method) << ": planned " << hooked.planned << " after " << plain.planned
        << ", measured " << hooked.measured << " after " << plain.measured;
  }
}

/// Recomputing activations changes no bit, so neither may it where an attack asks for the
/// gradient of the inputs alone.
TEST(TrainWithHooks, GiveTheSameModelWithAndWithoutCheckpointing) {
  const TemporaryFolder folder;
  TrainStage config = small_training(augment::EmbeddingMethod::fgsm);
  const auto model_of = [&](const char* name) {
    cupel::Run run(options_of(folder / name));
    heavy_functions().train(config, run);
    return sha256_file(folder / name / "model/model.safetensors");
  };
  const std::string recomputed = model_of("recomputed");
  config.gradient_checkpointing = false;
  EXPECT_EQ(recomputed, model_of("kept"));
  config.augment.reset();
  EXPECT_NE(recomputed, model_of("plain"));
}

}  // namespace
}  // namespace cupel::pipeline

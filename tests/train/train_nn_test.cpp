// Training as a whole on small data: what it leaves, that it resumes to the bit, that plan holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "base/atomic_file.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/memory_nn.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/small_training.h"
#include "support/tiny_mixture.h"
#include "train/plan.h"
#include "train/train.h"

namespace cupel::train {
namespace {

/// A verse over and over, so that a few steps teach something.
std::filesystem::path write_corpus(const TemporaryFolder& folder) {
  std::string text;
  for (int i = 0; i < 120; ++i)
    text += "To be, or not to be, that is the question: line " + std::to_string(i % 7) + "\n";
  return folder.write("corpus.txt", text);
}

Config small_config(const std::filesystem::path& corpus) {
  Config config = twelve_steps();
  config.model = tiny_mixture();
  config.tokenizer.vocab_size = 300;
  config.datasets.push_back({.path = {corpus.string()}});
  config.samples.prompts = {"To be"};
  config.samples.max_new_tokens = 6;
  return config;
}

TEST(Train, LearnsAndLeavesAModelThatCanBeTrainedOn) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.max_steps = 60;
  const Report report = train_in(config, options_of(folder / "run"));
  EXPECT_EQ(report.steps, 60);
  EXPECT_EQ(report.tokens, 60 * 4 * 32);
  ASSERT_TRUE(report.val_loss.has_value());
  EXPECT_LT(*report.val_loss, 3.0);  // ln 300 = 5.7
  EXPECT_NE(report.samples.at(0).before, report.samples.at(0).after);
  for (const char* name : {"model.safetensors", "config.json", "tokenizer.json"})
    EXPECT_TRUE(std::filesystem::exists(folder / "run" / "model" / name)) << name;
  EXPECT_TRUE(std::filesystem::exists(folder / "run" / "events.out.tfevents.cupel"));

  Config further = small_config(folder / "corpus.txt");
  further.model.reset();
  further.tokenizer = {};
  further.base_model = {(folder / "run" / "model").string()};
  further.max_steps = 3;
  further.warmup_steps = 3;
  further.learning_rate = 1e-5;
  const Report second = train_in(further, options_of(folder / "further"));
  EXPECT_NEAR(*second.val_loss, *report.val_loss, 0.05);
}

TEST(Train, ResumesAfterAStopToTheSameBits) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.precision = nn::Precision::fp16;
  config.dropout = 0.1;
  config.gradient_accumulation_steps = 2;
  train_in(config, options_of(folder / "whole"));
  train_until(7, config, folder / "cut");
  const Report report = train_in(config, options_of(folder / "cut", true));
  EXPECT_EQ(report.resumed_from, 7);
  EXPECT_EQ(comparable(folder / "cut"), comparable(folder / "whole"));
}

TEST(Train, ARunKilledAfterItsLastSaveReportsTheSame) {
  const TemporaryFolder folder;
  const Config config = small_config(write_corpus(folder));
  const Report whole = train_in(config, options_of(folder / "run"));
  const Report again = train_in(config, options_of(folder / "run", true));
  EXPECT_EQ(again.resumed_from, 12);
  EXPECT_GT(whole.max_expert_load, 0);
  EXPECT_EQ(again.max_expert_load, whole.max_expert_load);
  EXPECT_EQ(again.train_loss, whole.train_loss);
  EXPECT_EQ(again.val_loss, whole.val_loss);
  EXPECT_EQ(again.samples.at(0).after, whole.samples.at(0).after);
}

TEST(Train, ACheckpointStandsBehindTheEventsUpToIt) {
  const TemporaryFolder folder;
  const Config config = small_config(write_corpus(folder));
  cupel::Run run(options_of(folder / "run"));
  std::vector<uintmax_t> sizes;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::section_end && event.name == "checkpoint")
      sizes.push_back(std::filesystem::file_size(run.folder() / "events.out.tfevents.cupel"));
  });
  train::run(config, {}, run);
  ASSERT_EQ(sizes.size(), 3u);
  EXPECT_GT(sizes[0], 40u + 3 * 50u) << "version, then loss, learning rate and more of step 3";
  EXPECT_GT(sizes[1], sizes[0]);
  EXPECT_GT(sizes[2], sizes[1]);
}

TEST(Train, GivesTheSameBitsOnOneThreadAndOnTwo) {
  const TemporaryFolder folder;
  const Config config = small_config(write_corpus(folder));
  train_in(config, options_of(folder / "two"));
  RunOptions options = options_of(folder / "one");
  options.threads = 1;
  train_in(config, options);
  EXPECT_EQ(comparable(folder / "one"), comparable(folder / "two"));
}

TEST(Train, TakesBfloat16ForMixedWhereNoUnitMultipliesFp16) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.precision = nn::Precision::mixed;
  config.loss_scale.emplace();
  const Report report = train_in(config, options_of(folder / "run"));
  EXPECT_EQ(report.precision.compute, nn::Precision::bf16);
  EXPECT_NE(report.precision.reason, "");
  ASSERT_TRUE(report.loss_scale.has_value());
  EXPECT_EQ(report.loss_scale->overflows, 0);
}

TEST(Train, ScalesTheLossUnderForcedFp16) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.precision = nn::Precision::fp16;
  config.loss_scale.emplace();
  config.loss_scale->initial = 0x1p60;  // overflows until it has come down
  config.max_steps = 60;
  const Report report = train_in(config, options_of(folder / "run"));
  EXPECT_GT(report.loss_scale->overflows, 5);
  EXPECT_LT(report.loss_scale->final, 0x1p60);
  EXPECT_EQ(report.loss_scale->skipped_steps, report.loss_scale->overflows);
}

TEST(Train, RejectsAnInputThatLeavesNothingToTrainOn) {
  const TemporaryFolder folder;
  folder.write("empty.txt", "");
  const Config config = small_config(folder / "empty.txt");
  cupel::Run run(options_of(folder / "run"));
  EXPECT_THAT([&] { train::run(config, {}, run); }, throws_error(ErrorKind::data, "empty.txt"));
}

/// Five shapes whose memory lies in different places.
std::vector<Config> planned_configs(const std::filesystem::path& corpus) {
  Config base = small_config(corpus);
  base.model->hidden_size = 96;
  base.model->intermediate_size = 256;
  base.model->moe_intermediate_size = 96;
  base.model->num_hidden_layers = 3;
  base.model->num_nextn_predict_layers = 0;
  base.sequence_len = 64;
  base.micro_batch_size = 12;
  base.max_steps = 3;
  std::vector<Config> configs(8, base);
  configs[1].precision = nn::Precision::bf16;
  configs[1].model->q_lora_rank = 32;
  configs[1].model->num_nextn_predict_layers = 1;
  configs[2].gradient_checkpointing = true;
  configs[2].gradient_accumulation_steps = 2;
  configs[2].model->num_hidden_layers = 6;
  configs[3].model->family = "llama";
  configs[3].model->num_key_value_heads = 1;
  configs[3].dropout = 0.1;
  configs[3].precision = nn::Precision::fp16;
  configs[4].micro_batch_size = 2;
  configs[4].model->n_routed_experts = 16;
  configs[4].model->tie_word_embeddings = true;
  configs[5].model->family = "qwen3_moe";
  configs[5].model->head_dim = 64;
  configs[5].precision = nn::Precision::bf16;
  configs[6].model->family = "llama";
  configs[6].model->attention_bias = configs[6].model->mlp_bias = true;
  configs[7].model->family = "deepseek_v2";
  configs[7].model->mlp_bias = true;
  configs[7].precision = nn::Precision::bf16;
  return configs;
}

TEST(Train, PlansItsPeakOfTensorMemoryWithinATenth) {
  const TemporaryFolder folder;
  const std::filesystem::path corpus = write_corpus(folder);
  expect_plans_within_a_tenth(planned_configs(corpus), folder.path());
}

TEST(Train, AStopAmidAValidationResumesToTheSameBits) {
  const TemporaryFolder folder;
  const Config config = small_config(write_corpus(folder));
  const Report whole = train_in(config, options_of(folder / "whole"));
  for (const int64_t step : {6, 12}) {
    SCOPED_TRACE(step);
    const std::filesystem::path cut = folder / ("cut" + std::to_string(step));
    std::atomic<bool> stop{false};
    RunOptions options = options_of(cut);
    options.stop = &stop;
    {
      cupel::Run run(options);
      // The last that is heard before the validation of that step.
      run.subscribe([&](const Event& event) {
        if (event.kind == Event::Kind::metric && event.name == "loss" && event.step == step)
          stop = true;
      });
      EXPECT_THROW(train::run(config, {}, run), Interrupted);
      EXPECT_EQ(read_file(cut / "metrics.jsonl").find("val_loss") == std::string::npos, step == 6);
    }
    const Report report = train_in(config, options_of(cut, true));
    EXPECT_EQ(report.resumed_from, step);
    EXPECT_EQ(report.val_loss, whole.val_loss);
    EXPECT_EQ(comparable(cut), comparable(folder / "whole"));
  }
}

TEST(Train, AStopAmidTheLastSamplesLosesNothing) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.save_steps = 0;
  config.samples.max_new_tokens = 1000;
  std::atomic<bool> stop{false};
  RunOptions options = options_of(folder / "run");
  options.stop = &stop;
  cupel::Run run(options);
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::metric && event.name == "val_loss" && event.step == 12)
      stop = true;
  });
  const Report report = train::run(config, {}, run);
  EXPECT_EQ(report.steps, 12);
  EXPECT_EQ(report.samples.at(0).after, "");
  EXPECT_TRUE(std::filesystem::exists(folder / "run/model/model.safetensors"));
}

TEST(Train, BitsAByteCountTheBytesOfWhatWasWeighed) {
  // Answers of 20 bytes that fit a sequence, and as many of 400 that do not. All are one letter, so
  // a byte is a token, and the end-of-text token the one label without a byte.
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 400; ++i) {
    const std::string answer(i % 2 == 0 ? 20 : 400, 'x');
    rows += R"({"prompt": ")" + std::to_string(i) + R"(", "completion": ")" + answer + "\"}\n";
  }
  folder.write("rows.jsonl", rows);
  Config config = small_config(folder / "rows.jsonl");
  config.datasets[0].type = DatasetType::completion;
  config.tokenizer.vocab_size = 257;
  config.excess_length_strategy = ExcessLength::drop;
  config.max_steps = 1;
  const Report report = train_in(config, options_of(folder / "run"));
  const double bytes_a_label = 20.0 / 21;
  EXPECT_NEAR(*report.val_bits_per_byte, *report.val_loss / bytes_a_label / std::log(2.0), 1e-9);
}

TEST(Train, ReportsTheLossOfPredictionLayersAsAMeanOverTheStepsLabels) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.gradient_accumulation_steps = 3;
  config.max_steps = 3;
  config.learning_rate = 1e-5;
  cupel::Run run(options_of(folder / "run"));
  double loss = 0, mtp_loss = 0;
  run.subscribe([&](const Event& event) {
    if (event.kind != Event::Kind::metric) return;
    if (event.name == "loss") loss = event.value;
    if (event.name == "mtp_loss") mtp_loss = event.value;
  });
  train::run(config, {}, run);
  // A sequence has one label less for it, and a new head guesses as badly at either.
  EXPECT_NEAR(mtp_loss, loss, 0.1 * loss);
}

TEST(Train, TellsTransformersWhereATextEnds) {
  const TemporaryFolder folder;
  Config config = small_config(write_corpus(folder));
  config.max_steps = 1;
  train_in(config, options_of(folder / "run"));
  const Tokenizer tokenizer = Tokenizer::load(folder / "run/model");
  const json::Value written = json::parse(read_file(folder / "run/model/config.json"), "");
  EXPECT_EQ(written.at("eos_token_id", "").as_int(""), tokenizer.eos_id());
  EXPECT_TRUE(written.at("bos_token_id", "").is_null());
}

}  // namespace
}  // namespace cupel::train

// Training a classifier as a whole on small data: what it learns and leaves, that it resumes to the
// bit, that plan holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/classifier_files_nn.h"
#include "nn/text_classifier.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranks_nn.h"
#include "support/small_training.h"
#include "support/tensors_nn.h"
#include "train/classify.h"

namespace cupel::train {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

/// Two kinds of text that differ in a word, of several lengths.
std::filesystem::path write_texts(const TemporaryFolder& folder, int rows = 120, int words = 9) {
  std::string text = "body,kind\n";
  for (int i = 0; i < rows; ++i) {
    std::string body = i % 2 == 0 ? "good" : "bad";
    for (int k = 0; k < i % words; ++k) body += k % 2 == 0 ? " the cat" : " my dog";
    text += body + " " + std::to_string(i) + "," + (i % 2 == 0 ? "praise" : "complaint") + "\n";
  }
  return folder.write("rows.csv", text);
}

Config classifier_config(const std::filesystem::path& rows) {
  Config config = twelve_steps();
  config.task = Task::classify;
  config.base_model = {fixture("classify").string()};
  config.datasets = {{.path = {rows.string()}, .text_field = "body", .label_field = "kind"}};
  config.micro_batch_size = 8;
  config.learning_rate = 2e-3;
  config.val_set_size = 0.2;
  return config;
}

TEST(TrainClassifier, LearnsAndLeavesAFolderThatIsReadBack) {
  const TemporaryFolder folder;
  Config config = classifier_config(write_texts(folder));
  config.max_steps = 60;
  std::vector<std::string> said;
  const Report report = train_in(config, options_of(folder / "run"), {}, &said);
  EXPECT_THAT(said, testing::Not(Contains(HasSubstr("begins at random"))))
      << "the head knows both labels";
  EXPECT_EQ(report.val_accuracy, 1.0);
  EXPECT_EQ(report.val_f1, 1.0);
  EXPECT_LT(*report.val_loss, 0.1);
  EXPECT_GT(report.tokens, 60 * 8 * 3);
  EXPECT_LT(report.tokens, 60 * 8 * 32);
  EXPECT_THAT(read_file(folder / "run/metrics.jsonl"), HasSubstr("val_accuracy"));
  ThreadPool pool(1);
  const TextClassifier classifier = nn::text_classifier(folder / "run/model", pool);
  EXPECT_THAT(classifier.labels, ElementsAre("complaint", "praise", "question", "request"));
  const std::vector<std::string_view> texts{"good my dog", "bad my dog"};
  const std::vector<float> chances = classifier.classify(texts).chances;
  EXPECT_GT(chances[1], 0.9F);
  EXPECT_GT(chances[4], 0.9F);
}

TEST(TrainClassifier, MakesANewHeadForOtherClassesAndSaysSo) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 60; ++i)
    rows += json::dump(json::Object{{"body", i % 3 == 0   ? "good"
                                             : i % 3 == 1 ? "bad"
                                                          : "where"},
                                    {"kind", i % 3}}) +
            "\n";
  Config config = classifier_config(folder.write("rows.jsonl", rows));
  config.val_set_size = 0;
  config.max_steps = 40;
  std::vector<std::string> said;
  const Report report = train_in(config, options_of(folder / "run"), {}, &said);
  EXPECT_THAT(said,
              Contains("base_model has no head for 3 such classes: a new one begins at random"));
  EXPECT_FALSE(report.val_loss || report.val_accuracy || report.val_f1);
  EXPECT_LT(report.train_loss, 0.9) << "ln 3 = 1.1";
  EXPECT_THAT(nn::read_classifier_config(folder / "run/model").labels, ElementsAre("0", "1", "2"));
}

TEST(TrainClassifier, TrainsANewModelOfTheRecipesShape) {
  const TemporaryFolder folder;
  Config config = classifier_config(write_texts(folder));
  config.base_model = {};
  config.model.emplace();
  config.model->family = "bert";
  config.model->hidden_size = 32;
  config.model->intermediate_size = 64;
  config.model->num_hidden_layers = 2;
  config.model->num_attention_heads = 4;
  config.tokenizer.path = {(fixture("classify") / "tokenizer.json").string()};
  config.max_steps = 150;
  const Report report = train_in(config, options_of(folder / "run"));
  EXPECT_GT(*report.val_accuracy, 0.9);
  EXPECT_EQ(report.parameters,
            nn::parameter_count(nn::read_classifier_config(folder / "run/model")));
}

TEST(TrainClassifier, ResumesAfterAStopToTheSameBits) {
  const TemporaryFolder folder;
  Config config = classifier_config(write_texts(folder));
  config.precision = nn::Precision::fp16;
  config.dropout = 0.1;
  config.gradient_accumulation_steps = 3;  // more than an epoch
  const Report whole = train_in(config, options_of(folder / "whole"));
  train_until(7, config, folder / "cut");
  const Report report = train_in(config, options_of(folder / "cut", true));
  EXPECT_EQ(report.resumed_from, 7);
  EXPECT_EQ(report.tokens, whole.tokens);
  EXPECT_EQ(report.val_accuracy, whole.val_accuracy);
  EXPECT_EQ(comparable(folder / "cut"), comparable(folder / "whole"));
  const Report again = train_in(config, options_of(folder / "whole", true));
  EXPECT_EQ(again.resumed_from, 12);
  EXPECT_EQ(again.val_accuracy, whole.val_accuracy);
  EXPECT_EQ(again.val_f1, whole.val_f1);
}

TEST(TrainClassifier, TwoProcessesDoWhatOneDoesWithTwiceTheAccumulation) {
  const TemporaryFolder folder;
  Config config = classifier_config(write_texts(folder));
  config.save_steps = 0;
  Report two;
  on_ranks(2, [&](const Peers& peers) {
    RunOptions options = options_of(peers.rank == 0 ? folder / "two" : std::filesystem::path());
    options.threads = 1;
    options.peers = peers;
    cupel::Run run(options);
    const Report report = train::run(config, {}, run);
    if (peers.rank == 0) two = report;
  });
  config.gradient_accumulation_steps = 2;
  RunOptions options = options_of(folder / "one");
  options.threads = 1;
  const Report one = train_in(config, options);
  EXPECT_EQ(two.world_size, 2);
  EXPECT_EQ(two.tokens, one.tokens);
  EXPECT_NEAR(*two.val_loss, *one.val_loss, 1e-3);
  EXPECT_EQ(two.val_accuracy, one.val_accuracy);
  const Safetensors a = Safetensors::open(folder / "one/model");
  const Safetensors b = Safetensors::open(folder / "two/model");
  for (const TensorEntry& entry : a.tensors()) {
    // A gradient that is 0 but for rounding moves this one.
    if (entry.name.ends_with("self.key.bias")) continue;
    EXPECT_LE(relative_gap(read_tensor(b, entry.name), read_tensor(a, entry.name)), 2e-3)
        << entry.name;
  }
}

/// Shapes whose memory lies in different places.
std::vector<Config> planned_classifiers(const std::filesystem::path& rows) {
  Config base = classifier_config(rows);
  base.base_model = {};
  base.model.emplace();
  base.model->family = "bert";
  base.model->hidden_size = 96;
  base.model->intermediate_size = 384;
  base.model->num_hidden_layers = 4;
  base.model->num_attention_heads = 4;
  base.tokenizer.path = {(fixture("classify") / "tokenizer.json").string()};
  base.sequence_len = 128;
  base.micro_batch_size = 24;
  base.max_steps = 3;
  std::vector<Config> configs(6, base);
  configs[1].precision = nn::Precision::bf16;
  configs[2].gradient_checkpointing = true;
  configs[2].gradient_accumulation_steps = 2;
  configs[2].max_steps = 12;  // the longest batch comes second in a step, sooner or later
  configs[2].model->num_hidden_layers = 8;
  configs[3].precision = nn::Precision::fp16;
  configs[3].dropout = 0.1;
  configs[3].model->num_attention_heads = 12;
  configs[4].micro_batch_size = 2;
  configs[4].model->vocab_size = 20000;
  configs[5].model->hidden_size = 192;
  configs[5].optimizer = nn::OptimizerKind::adamw_8bit;
  configs[5].grad_accum_dtype = nn::GradientDtype::bf16;
  return configs;
}

TEST(TrainClassifier, PlansItsPeakOfTensorMemoryWithinATenth) {
  const TemporaryFolder folder;
  const std::filesystem::path rows = write_texts(folder, 200, 40);
  expect_plans_within_a_tenth(planned_classifiers(rows), folder.path());
}

}  // namespace
}  // namespace cupel::train

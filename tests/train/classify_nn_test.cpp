// Training a classifier as a whole on small data: what it learns and leaves, that it resumes to the
// bit, that plan holds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "base/atomic_file.h"
#include "base/config_doc.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/classifier_files_nn.h"
#include "nn/text_classifier_nn.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/ranks_nn.h"
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
  Config config;
  config.task = Task::classify;
  config.base_model = {fixture("classify").string()};
  config.datasets = {{.path = {rows.string()}, .text_field = "body", .label_field = "kind"}};
  config.sequence_len = 32;
  config.micro_batch_size = 8;
  config.max_steps = 12;
  config.learning_rate = 2e-3;
  config.logging_steps = 3;
  config.eval_steps = 6;
  config.save_steps = 4;
  config.val_set_size = 0.2;
  config.precision = nn::Precision::fp32;
  return config;
}

RunOptions classifier_options(const std::filesystem::path& folder, bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.seed = 3;
  options.threads = 2;
  options.resume = resume;
  options.clock = [] { return 0.0; };
  return options;
}

Report train_classifier(const Config& config, const RunOptions& options,
                        std::vector<std::string>* said = nullptr) {
  cupel::Run run(options);
  run.subscribe([&](const Event& event) {
    if (said != nullptr && event.kind == Event::Kind::log) said->emplace_back(event.text);
  });
  const Report report = train::run(config, {}, run);
  run.finish("train", to_json(report));
  return report;
}

TEST(TrainClassifier, LearnsAndLeavesAFolderThatIsReadBack) {
  const TemporaryFolder folder;
  Config config = classifier_config(write_texts(folder));
  config.max_steps = 60;
  std::vector<std::string> said;
  const Report report = train_classifier(config, classifier_options(folder / "run"), &said);
  EXPECT_THAT(said, testing::Not(Contains(HasSubstr("begins at random"))))
      << "the head knows both labels";
  EXPECT_EQ(report.val_accuracy, 1.0);
  EXPECT_EQ(report.val_f1, 1.0);
  EXPECT_LT(*report.val_loss, 0.1);
  EXPECT_GT(report.tokens, 60 * 8 * 3);
  EXPECT_LT(report.tokens, 60 * 8 * 32);
  EXPECT_THAT(read_file(folder / "run/metrics.jsonl"), HasSubstr("val_accuracy"));
  const TextClassifier classifier = nn::text_classifier(folder / "run/model");
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
  const Report report = train_classifier(config, classifier_options(folder / "run"), &said);
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
  const Report report = train_classifier(config, classifier_options(folder / "run"));
  EXPECT_GT(*report.val_accuracy, 0.9);
  EXPECT_EQ(report.parameters,
            nn::parameter_count(nn::read_classifier_config(folder / "run/model")));
}

/// Everything that must be equal in two runs: weights, optimizer, metrics apart from rates.
std::string all_of(const std::filesystem::path& folder) {
  std::string all = sha256_file(folder / "model/model.safetensors") +
                    sha256_file(folder / "checkpoint-12/optimizer.safetensors");
  std::istringstream lines(read_file(folder / "metrics.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("step_ms") == std::string::npos && line.find("per_second") == std::string::npos)
      all += "\n" + line;
  }
  return all;
}

TEST(TrainClassifier, ResumesAfterAStopToTheSameBits) {
  const TemporaryFolder folder;
  Config config = classifier_config(write_texts(folder));
  config.precision = nn::Precision::fp16;
  config.dropout = 0.1;
  config.gradient_accumulation_steps = 3;  // more than an epoch
  const Report whole = train_classifier(config, classifier_options(folder / "whole"));
  std::atomic<bool> stop{false};
  RunOptions options = classifier_options(folder / "cut");
  options.stop = &stop;
  {
    cupel::Run run(options);
    run.subscribe([&](const Event& event) {
      if (event.kind == Event::Kind::progress && event.done == 7) stop = true;
    });
    EXPECT_THROW(train::run(config, {}, run), Interrupted);
  }
  const Report report = train_classifier(config, classifier_options(folder / "cut", true));
  EXPECT_EQ(report.resumed_from, 7);
  EXPECT_EQ(report.tokens, whole.tokens);
  EXPECT_EQ(report.val_accuracy, whole.val_accuracy);
  EXPECT_EQ(all_of(folder / "cut"), all_of(folder / "whole"));
  const Report again = train_classifier(config, classifier_options(folder / "whole", true));
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
    RunOptions options =
        classifier_options(peers.rank == 0 ? folder / "two" : std::filesystem::path());
    options.threads = 1;
    options.peers = peers;
    cupel::Run run(options);
    const Report report = train::run(config, {}, run);
    if (peers.rank == 0) two = report;
  });
  config.gradient_accumulation_steps = 2;
  RunOptions options = classifier_options(folder / "one");
  options.threads = 1;
  const Report one = train_classifier(config, options);
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
  int number = 0;
  for (const Config& config : planned_classifiers(rows)) {
    const Report report =
        train_classifier(config, classifier_options(folder / ("run" + std::to_string(number))));
    const auto planned = static_cast<double>(report.planned_memory_bytes);
    const auto measured = static_cast<double>(report.peak_tensor_bytes);
    EXPECT_NEAR(planned / measured, 1, 0.1)
        << "config " << number << ": planned " << planned << ", measured " << measured;
    ++number;
  }
}

}  // namespace
}  // namespace cupel::train

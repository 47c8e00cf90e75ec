#include "compress/compress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/atomic_file.h"
#include "compress/small_task.h"
#include "nn/classifier.h"
#include "nn/classifier_model.h"
#include "support/errors.h"

namespace cupel::compress {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Counts its calls, and moves one number so that it shows where its work goes.
struct CountingRecover {
  std::vector<RecoverTask> tasks;
  Recover function() {
    return [this](nn::ClassifierModel& student, const RecoverTask& task, cupel::Run&) {
      tasks.push_back(task);
      student.at("classifier.bias")[0] += 1;
      return 0.25;
    };
  }
};

TEST(Compress, PrunesInRoundsRecoversQuantisesAndMeasuresTheChain) {
  const SmallTask task;
  Config config = task.config();
  config.prune.emplace();
  config.prune->prune_ratio = 0.5;
  config.recover.emplace();
  config.recover->num_epochs = 2;
  config.recover->qat = 0.25;
  config.quantize.emplace();
  config.measure.emplace();
  config.measure->data = task.data();
  config.measure->runs = 5;
  EXPECT_THAT(config.problems(), IsEmpty());
  CountingRecover recover;
  cupel::Run run({.folder = task / "run"});
  const Report report = compress::run(config, {recover.function(), {}}, run);
  EXPECT_EQ(report.pruned_share, 0.5);
  ASSERT_EQ(report.rounds.size(), 2u);
  EXPECT_EQ(report.rounds[0].layers[1].channels_after, 96);
  EXPECT_EQ(report.rounds[1].layers[1].channels_after, 64);
  EXPECT_EQ(report.rounds[1].train_loss, 0.25);
  ASSERT_EQ(recover.tasks.size(), 2u) << "60 rows, 16 a step, 2 epochs: 8 steps";
  EXPECT_EQ(recover.tasks[0].steps + recover.tasks[1].steps, 8);
  EXPECT_EQ(recover.tasks[0].qat_from, 4);
  EXPECT_EQ(recover.tasks[1].qat_from, 3);
  EXPECT_THAT(report.steps, ElementsAre("fp32", "bf16", "w4a8", "pruned", "pruned_w4a8"));
  EXPECT_THAT(report.details(), HasSubstr("\n  pruned_w4a8  "));
  EXPECT_LT(report.bytes.after, report.bytes.before / 4);
  EXPECT_LT(report.parameters.after, report.parameters.before);
  EXPECT_TRUE(report.accuracy_drop_points.has_value());
  const nn::Classifier left = nn::Classifier::load(task / "run/model");
  EXPECT_EQ(left.precision().compute, nn::EncoderPrecision::w4a8);
  EXPECT_NEAR(nn::read_classifier_model(task / "run/model").at("classifier.bias")[0],
              nn::read_classifier_model(task.model()).at("classifier.bias")[0] + 2, 1e-6);
}

TEST(Compress, ARoundThatEndedIsNotTakenAgain) {
  const SmallTask task;
  Config config = task.config();
  config.prune.emplace();
  config.recover.emplace();
  CountingRecover recover;
  {
    cupel::Run run({.folder = task / "run"});
    compress::run(config, {recover.function(), {}}, run);
  }
  EXPECT_EQ(recover.tasks.size(), 2u);
  const std::string before = read_file(task / "run/model/model.safetensors");
  cupel::Run run({.folder = task / "run", .resume = true});
  const Report report = compress::run(config, {recover.function(), {}}, run);
  EXPECT_EQ(recover.tasks.size(), 2u);
  EXPECT_EQ(report.rounds[1].layers[0].channels_after, 64);
  EXPECT_EQ(read_file(task / "run/model/model.safetensors"), before);
}

TEST(Compress, WithoutPruningOrRecoveryStoresTheModelInCodesAlone) {
  const SmallTask task;
  Config config = task.config();
  config.quantize.emplace();
  config.quantize->group_size = 64;
  cupel::Run run({.folder = task / "run"});
  const Report report = compress::run(config, {}, run);
  EXPECT_THAT(report.rounds, IsEmpty());
  EXPECT_EQ(report.pruned_share, 0);
  EXPECT_EQ(report.parameters.after, report.parameters.before);
  EXPECT_EQ(nn::read_classifier_config(task / "run/model").encoder.group_size, 64);
}

TEST(Compress, TheSameBytesForAnyNumberOfThreads) {
  const SmallTask task;
  Config config = task.config();
  config.prune.emplace();
  config.quantize.emplace();
  std::vector<std::string> bytes;
  for (const int threads : {1, 3}) {
    const std::string name = "run" + std::to_string(threads);
    cupel::Run run({.folder = task / name, .threads = threads});
    compress::run(config, {}, run);
    bytes.push_back(read_file(task / (name + "/model/model.safetensors")));
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

TEST(Compress, SettingsThatDoNotFitAreProblems) {
  Config config;
  EXPECT_THAT(config.problems(), Contains(HasSubstr("model: missing")));
  EXPECT_THAT(config.problems(), Contains(HasSubstr("give prune, quantize or both")));
  config.quantize.emplace();
  config.quantize->group_size = 96;
  EXPECT_THAT(config.problems(), Contains(HasSubstr("quantize.group_size: take 32, 64")));
  EXPECT_THAT(config.problems(), Contains(HasSubstr("give datasets, or calibration")));
  config.recover.emplace();
  EXPECT_THAT(config.problems(), Contains(HasSubstr("datasets: missing; recovery")));
  config.datasets.emplace_back();
  config.calibration.emplace();
  config.measure.emplace();
  EXPECT_THAT(config.problems(), Contains(HasSubstr("datasets[0].path: missing")));
  EXPECT_THAT(config.problems(), Contains(HasSubstr("calibration.path: missing")));
  EXPECT_THAT(config.problems(), Contains(HasSubstr("measure.data.path: missing")));
}

TEST(Compress, ARatioThatLeavesNothingOrEverythingIsAnError) {
  const SmallTask task;
  Config config = task.config();
  config.prune.emplace();
  config.prune->prune_ratio = 0.9;
  cupel::Run run({.folder = task / "run"});
  EXPECT_THAT([&] { compress::run(config, {}, run); },
              throws_error(ErrorKind::config, "128 channels leave 0 at this ratio"));
}

}  // namespace
}  // namespace cupel::compress

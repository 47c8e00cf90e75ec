// The loop when the loss leaves the finite world: returns to a checkpoint, saves, logs, the end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>

#include "base/atomic_file.h"
#include "base/error.h"
#include "nn/checkpoint.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/small_fit_nn.h"

namespace cupel::nn {
namespace {

std::vector<int64_t> checkpoint_steps(const std::filesystem::path& folder) {
  std::vector<int64_t> steps;
  for (const CheckpointFolder& found : list_checkpoints(folder)) steps.push_back(found.step);
  return steps;
}

TEST(FitDivergence, GoesBackToItsCheckpointWhenTheLossDivergesAndPassesTheBatchesOver) {
  const TemporaryFolder temporary;
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    if (index >= 24 && index < 30) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    return batch;
  };
  cupel::Run run(fit_options(temporary.path() / "run"));
  const FitReport report = fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.steps, 30);
  EXPECT_TRUE(trainer.network.first.isfinite().all().item<bool>());
}

TEST(FitDivergence, SavesNoCheckpointAmidADivergence) {
  const TemporaryFolder temporary;
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    if (index >= 18 && index < 24) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    return batch;
  };
  FitConfig config = small_config();
  config.loss_watchdog_patience = 3;  // steps 10, 11 and 12
  config.save_total_limit = 100;
  cupel::Run run(fit_options(temporary.path() / "run"));
  std::vector<int64_t> saved_before_return;
  run.subscribe([&](const Event& event) {
    if (event.kind != Event::Kind::log || event.level != LogLevel::warning) return;
    for (const auto& found : list_checkpoints(run.folder()))
      saved_before_return.push_back(found.step);
  });
  fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_THAT(saved_before_return, testing::ElementsAre(5));
}

TEST(FitDivergence, EndsWithARemedyWhenEveryLossIsNan) {
  const TemporaryFolder temporary;
  Trainer trainer;
  trainer.data.micro_batch = [](int64_t index) {
    Batch batch = make_batch(index);
    if (index >= 12) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    return batch;
  };
  cupel::Run run(fit_options(temporary.path() / "run"));
  EXPECT_THAT([&] { fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run); },
              throws_error(ErrorKind::numeric, "lower learning_rate"));
}

TEST(FitDivergence, ASecondReturnPassesOverBothBadStretches) {
  const TemporaryFolder temporary;
  Trainer trainer;
  break_steps(trainer, {{7, 10}, {12, 15}});  // both after the checkpoint of step 5
  cupel::Run run(fit_options(temporary / "run"));
  const FitReport report = fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_EQ(report.steps, 30);
  const json::Value state =
      json::parse(read_file(temporary / "run/checkpoint-30/state.json"), "state");
  EXPECT_EQ(state.at("skipped_batches", "").as_int(""), 10);
}

TEST(FitDivergence, OnTheLastStepsItIsNoSuccess) {
  const TemporaryFolder temporary;
  Trainer trainer;
  break_steps(trainer, {{27, 1000}});
  cupel::Run run(fit_options(temporary / "run"));
  EXPECT_THAT([&] { fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run); },
              throws_error(ErrorKind::numeric, "the loss diverged 3 steps in a row up to step 28"));
  EXPECT_THAT(checkpoint_steps(run.folder()), testing::ElementsAre(20, 25));
}

TEST(FitDivergence, ShorterThanThePatienceAtTheEndIsToldAndNotSaved) {
  const TemporaryFolder temporary;
  Trainer trainer;
  break_steps(trainer, {{28, 1000}});
  cupel::Run run(fit_options(temporary / "run"));
  std::vector<std::string> warnings;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::log) warnings.emplace_back(event.text);
  });
  fit(small_config(), std::nullopt, trainer.model, trainer.data, {}, run);
  EXPECT_THAT(warnings, testing::ElementsAre("the loss diverged in the last steps of the run"));
  EXPECT_THAT(checkpoint_steps(run.folder()), testing::ElementsAre(20, 25));
}

/// Warnings and checkpoints of a run that is asked to stop at step 8, the second of a divergence;
/// or in the validation of that step.
std::pair<std::vector<std::string>, std::vector<int64_t>> stop_amid(
    const std::filesystem::path& folder, int64_t save_steps, bool in_validation = false) {
  Trainer trainer;
  break_steps(trainer, {{6, 9}});
  FitConfig config = small_config();
  config.save_steps = save_steps;
  if (in_validation) {
    config.eval_steps = 8;
    trainer.data.validate = []() -> double { throw Interrupted(); };
  }
  std::atomic<bool> stop = false;
  RunOptions options = fit_options(folder);
  options.stop = &stop;
  cupel::Run run(std::move(options));
  std::vector<std::string> warnings;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::progress && event.done == 8) stop = true;
    if (event.kind == Event::Kind::log) warnings.emplace_back(event.text);
  });
  EXPECT_THROW(fit(config, std::nullopt, trainer.model, trainer.data, {}, run), Interrupted);
  return {warnings, checkpoint_steps(folder)};
}

TEST(FitDivergence, AStopAmidItKeepsTheLastGoodCheckpointInPlaceOfANewOne) {
  const TemporaryFolder temporary;
  const auto [warnings, steps] = stop_amid(temporary / "run", 5);
  EXPECT_THAT(warnings, testing::ElementsAre("stopped while the loss diverges: step 8 is not "
                                             "saved, a resumed run goes on from checkpoint-5"));
  EXPECT_THAT(steps, testing::ElementsAre(5));
}

TEST(FitDivergence, AStopInAValidationAmidItKeepsTheLastGoodCheckpointToo) {
  const TemporaryFolder temporary;
  EXPECT_THAT(stop_amid(temporary / "run", 5, true).second, testing::ElementsAre(5));
}

TEST(FitDivergence, AStopAmidItSavesWhereThereIsNoCheckpointYet) {
  const TemporaryFolder temporary;
  EXPECT_THAT(stop_amid(temporary / "run", 0).second, testing::ElementsAre(8));
}

TEST(FitDivergence, WithoutAnyFiniteLossSinceTheLastRowTheMetricIsNotANumber) {
  const TemporaryFolder temporary;
  Trainer trainer;
  break_steps(trainer, {{4, 8}});
  FitConfig config = small_config();  // logs every four steps
  config.loss_watchdog_patience = 10;
  config.max_steps = 12;
  cupel::Run run(fit_options(temporary / "run"));
  std::vector<double> losses;
  run.subscribe([&](const Event& event) {
    if (event.kind == Event::Kind::metric && event.name == "loss") losses.push_back(event.value);
  });
  fit(config, std::nullopt, trainer.model, trainer.data, {}, run);
  ASSERT_EQ(losses.size(), 3u);
  EXPECT_TRUE(std::isfinite(losses[0]) && std::isnan(losses[1]) && std::isfinite(losses[2]));
  run.sync_metrics();
  EXPECT_THAT(read_file(temporary / "run/metrics.jsonl"),
              testing::HasSubstr(R"({"step":8,"name":"loss","value":null)"));
}

}  // namespace
}  // namespace cupel::nn

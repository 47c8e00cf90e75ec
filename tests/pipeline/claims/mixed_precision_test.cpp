#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <optional>

#include "nn/device.h"
#include "pipeline/claims/protocols.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::pipeline::claims {
namespace {

/// What the fake training was asked for, in order.
std::vector<TrainStage> trainings;

/// A loss that falls by 0.01 a step, in mixed precision 1 % slower; 2 s a step, or 1.
TrainReport train_along_a_line(const TrainStage& config, cupel::Run& run) {
  trainings.push_back(config);
  const bool fp32 = config.precision == nn::Precision::fp32;
  for (int64_t step = 10; step <= *config.max_steps; step += 10) {
    run.metric("step_ms", step, fp32 ? 2000 : 1000);
    if (config.val_set_size > 0)
      run.metric("val_loss", step, 9 - (fp32 ? 0.01 : 0.0099) * static_cast<double>(step));
  }
  TrainReport report;
  report.peak_tensor_bytes = config.gradient_checkpointing ? 400 : fp32 ? 1000 : 800;
  report.model = "model";
  return report;
}

struct MixedPrecisionBench {
  TemporaryFolder folder{TemporaryFolder::Place::memory};
  Claim claim;
  Heavy heavy;
  std::optional<cupel::Run> run;

  explicit MixedPrecisionBench(const std::string& train = "max_steps: 200") {
    trainings.clear();
    heavy.train = &train_along_a_line;
    claim.id = "one";
    claim.folder = folder.path().string();
    claim.settings = yaml::parse("{target_step: 160, train: {model: {family: llama}, " + train +
                                     ", datasets: [{type: arithmetic}]}}",
                                 "one.yaml");
    RunOptions options;
    options.folder = folder / "run";
    options.threads = 1;
    run.emplace(options);
  }
  ClaimValues measure(uint64_t seed = 1) {
    return mixed_precision(
        {claim, seed, folder / ("run/claims/one/" + std::to_string(seed)), heavy, *run});
  }
};

TEST(MixedPrecision, ComparesTheTimeToTheLossThatTheFp32RunHadAtTheTargetStep) {
  MixedPrecisionBench bench;
  const ClaimValues values = bench.measure();
  // Smoothed over three validations: both curves lie ten steps back.
  const double steps = (160 - 10) / 0.99 + 10;
  EXPECT_NEAR(values.at("steps_to_loss_ratio").value, steps / 160, 1e-9);
  EXPECT_EQ(values.at("steps_to_loss_ratio").baseline, 160);
  EXPECT_NEAR(values.at("time_to_loss_ratio").value, 2 * 160 / steps, 1e-9);
  EXPECT_EQ(values.at("time_to_loss_ratio").baseline, 320);
  EXPECT_NEAR(values.at("final_loss_ratio").value, (9 - 0.0099 * 190) / (9 - 0.01 * 190), 1e-9);
}

TEST(MixedPrecision, TheBarOnTimeBindsOnlyWhereTheCpuMultipliesBf16FasterThanFp32) {
  MixedPrecisionBench bench;
  EXPECT_EQ(bench.measure().at("time_to_loss_ratio").skipped.empty(), nn::has_bf16_units());
}

TEST(MixedPrecision, ComparesThePeaksOfAllThreeRuns) {
  MixedPrecisionBench bench;
  const ClaimValues values = bench.measure();
  EXPECT_EQ(values.at("memory_ratio_mixed").value, 0.8);
  EXPECT_EQ(values.at("memory_ratio_memory_mode").value, 0.4);
  ASSERT_EQ(trainings.size(), 3u);
  EXPECT_EQ(trainings[2].max_steps, 3);
  EXPECT_EQ(trainings[2].precision, nn::Precision::mixed);
}

TEST(MixedPrecision, EveryOtherSeedBeginsWithTheOtherRun) {
  MixedPrecisionBench bench;
  bench.measure(1);
  bench.measure(2);
  EXPECT_EQ(trainings[0].precision, nn::Precision::fp32);
  EXPECT_EQ(trainings[1].precision, nn::Precision::mixed);
  EXPECT_EQ(trainings[3].precision, nn::Precision::mixed);
  EXPECT_EQ(trainings[4].precision, nn::Precision::fp32);
}

TEST(MixedPrecision, ALossThatIsNeverReachedMeetsNoBar) {
  MixedPrecisionBench bench("max_steps: 160");
  const double ratio = bench.measure().at("time_to_loss_ratio").value;
  EXPECT_TRUE(std::isnan(ratio));
  EXPECT_FALSE(parse_bar(">= 1.4", "one.yaml").is_met(ratio));
}

TEST(MixedPrecision, ARunWithoutValidationIsNamed) {
  MixedPrecisionBench bench("max_steps: 200, val_set_size: 0");
  EXPECT_THAT([&] { bench.measure(); },
              throws_error(ErrorKind::config, "one: the run had no validation"));
}

}  // namespace
}  // namespace cupel::pipeline::claims

#include "nn/schedule.h"

#include <gtest/gtest.h>

#include "base/atomic_file.h"
#include "base/json.h"

namespace cupel::nn {
namespace {

FitConfig config_of(Schedule schedule) {
  FitConfig config;
  config.learning_rate = 1;
  config.lr_scheduler = schedule;
  config.min_lr_ratio = 0.1;
  config.warmup_steps = 10;
  return config;
}

TEST(Schedule, WarmsUpInALineAndReachesThePeakAtTheLastWarmUpStep) {
  const FitConfig config = config_of(Schedule::cosine);
  for (int64_t step = 0; step < 10; ++step) {
    EXPECT_DOUBLE_EQ(learning_rate(config, step, 100), static_cast<double>(step + 1) / 10);
  }
  EXPECT_DOUBLE_EQ(learning_rate(config, 10, 100), 1);
}

TEST(Schedule, EveryShapeFallsToItsFloorAtTheLastStep) {
  EXPECT_NEAR(learning_rate(config_of(Schedule::cosine), 99, 100), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(config_of(Schedule::linear), 99, 100), 0.1, 1e-12);
  EXPECT_DOUBLE_EQ(learning_rate(config_of(Schedule::constant), 99, 100), 1);
}

TEST(Schedule, CosineStandsHalfWayAtTheMiddleOfItsFall) {
  FitConfig config = config_of(Schedule::cosine);
  config.warmup_steps = 0;
  EXPECT_NEAR(learning_rate(config, 50, 101), 0.55, 1e-12);
}

TEST(Schedule, NeverRisesAfterWarmUp) {
  for (Schedule schedule : {Schedule::cosine, Schedule::linear, Schedule::constant}) {
    const FitConfig config = config_of(schedule);
    for (int64_t step = 11; step < 200; ++step) {
      EXPECT_LE(learning_rate(config, step, 200), learning_rate(config, step - 1, 200));
    }
  }
}

TEST(Schedule, WarmUpByShareRoundsToWholeSteps) {
  FitConfig config;
  config.warmup_ratio = 0.03;
  EXPECT_EQ(warmup_steps(config, 1000), 30);
  EXPECT_EQ(warmup_steps(config, 10), 0);
}

TEST(Schedule, EqualsTheRatesThatTheReferenceCurveWasTrainedWith) {
  const std::string file = CUPEL_SOURCE_DIR "/tests/fixtures/deepseek_v3_curve/curve.json";
  const json::Value curve = json::parse(read_file(file), file);
  FitConfig config;
  config.learning_rate = curve.at("schedule_learning_rate", file).as_double("");
  config.min_lr_ratio =
      curve.at("schedule_min_learning_rate", file).as_double("") / config.learning_rate;
  config.warmup_steps = curve.at("schedule_warmup_steps", file).as_int("");
  const json::Array& rates = curve.at("learning_rate", file).as_array("");
  for (std::size_t i = 0; i < rates.size(); ++i) {
    const double ours =
        learning_rate(config, static_cast<int64_t>(i), static_cast<int64_t>(rates.size()));
    EXPECT_NEAR(ours, rates[i].as_double(""), 0.02 * config.learning_rate) << "step " << i;
  }
}

TEST(Schedule, CountsEpochsInSteps) {
  FitConfig config;
  config.num_epochs = 2.5;
  config.gradient_accumulation_steps = 4;
  EXPECT_EQ(total_steps(config, 16), 10);
  config.max_steps = 7;
  EXPECT_EQ(total_steps(config, 16), 7);
}

}  // namespace
}  // namespace cupel::nn

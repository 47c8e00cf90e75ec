#include "nn/loss_scale.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "support/errors.h"

namespace cupel::nn {
namespace {

/// One recorded run of torch.amp.GradScaler.
struct Recording {
  LossScaleConfig config;
  int64_t tracker_at_start = 0;
  std::set<int64_t> overflow_steps;
  json::Value values;
};

Recording load(const std::filesystem::path& file) {
  Recording recording;
  recording.values = json::parse(read_file(file), file.string());
  const auto number = [&](const char* key) { return recording.values.at(key, key).as_double(key); };
  recording.config.initial = number("init_scale");
  recording.config.growth_factor = number("growth_factor");
  recording.config.backoff_factor = number("backoff_factor");
  recording.config.increment_period = static_cast<int64_t>(number("growth_interval"));
  recording.config.min_scale = number("min_scale");
  recording.config.max_skips_at_floor = 1'000'000;
  recording.tracker_at_start = static_cast<int64_t>(number("growth_tracker_at_start"));
  for (const json::Value& step : recording.values.at("injected_step", "").as_array("")) {
    recording.overflow_steps.insert(step.as_int("injected_step"));
  }
  return recording;
}

LossScaler scaler_at_start(const Recording& recording) {
  LossScaler scaler(recording.config);
  json::Value state = scaler.state();
  state.set("growth_tracker", recording.tracker_at_start);
  scaler.restore(state);
  return scaler;
}

TEST(LossScaler, FollowsGradScalerStepByStepOverEveryRecording) {
  int recordings = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(CUPEL_SOURCE_DIR "/tests/fixtures/grad_scaler")) {
    SCOPED_TRACE(entry.path().filename().string());
    const Recording recording = load(entry.path());
    const json::Array& scales = recording.values.at("scale", "").as_array("");
    const json::Array& skipped = recording.values.at("skipped", "").as_array("");
    const json::Array& trackers = recording.values.at("growth_tracker", "").as_array("");
    ASSERT_EQ(scales.size(), 1000u);
    LossScaler scaler = scaler_at_start(recording);
    for (std::size_t step = 0; step < scales.size(); ++step) {
      const bool overflow = recording.overflow_steps.contains(static_cast<int64_t>(step));
      const StepOutcome outcome = scaler.update(!overflow);
      ASSERT_EQ(outcome == StepOutcome::skipped, skipped[step].as_int("skipped") == 1)
          << "step " << step;
      ASSERT_EQ(scaler.scale(), static_cast<float>(scales[step].as_double("scale")))
          << "step " << step;
      ASSERT_EQ(scaler.growth_tracker(), trackers[step].as_int("tracker")) << "step " << step;
    }
    ++recordings;
  }
  EXPECT_EQ(recordings, 8);
}

TEST(LossScaler, UnscalesToTheSameBitsAsGradScaler) {
  for (const auto& entry :
       std::filesystem::directory_iterator(CUPEL_SOURCE_DIR "/tests/fixtures/grad_scaler")) {
    SCOPED_TRACE(entry.path().filename().string());
    const Recording recording = load(entry.path());
    const json::Array& gradient = recording.values.at("gradient", "").as_array("");
    for (const json::Value& row : recording.values.at("unscaled", "").as_array("")) {
      LossScaleConfig config;
      config.initial = row.at("scale", "").as_double("");
      const float inverse = LossScaler(config).inverse_scale();
      const json::Array& bits = row.at("gradient_bits", "").as_array("");
      const bool injected = recording.overflow_steps.contains(row.at("step", "").as_int(""));
      for (std::size_t i = injected ? 1 : 0; i < gradient.size(); ++i) {
        const float unscaled = static_cast<float>(gradient[i].as_double("")) * inverse;
        EXPECT_EQ(std::bit_cast<uint32_t>(unscaled), bits[i].as_int("")) << "element " << i;
      }
    }
  }
}

TEST(LossScaler, NeverFallsBelowMinScale) {
  LossScaleConfig config;
  config.initial = 8;
  config.min_scale = 1;
  LossScaler scaler(config);
  for (int i = 0; i < 10; ++i) scaler.update(false);
  EXPECT_EQ(scaler.scale(), 1.0f);
  EXPECT_EQ(scaler.overflows(), 10);
}

TEST(LossScaler, NeverRisesAboveMaxScale) {
  LossScaleConfig config;
  config.initial = 8;
  config.increment_period = 1;
  config.max_scale = 20;
  LossScaler scaler(config);
  for (int i = 0; i < 10; ++i) scaler.update(true);
  EXPECT_EQ(scaler.scale(), 20.0f);
}

TEST(LossScaler, EndsTheRunAfterTooManyOverflowsInARowAtTheFloor) {
  LossScaleConfig config;
  config.initial = 2;
  config.min_scale = 1;
  config.max_skips_at_floor = 3;
  LossScaler scaler(config);
  scaler.update(false);  // 2 → 1
  scaler.update(false);
  scaler.update(false);
  EXPECT_THAT([&] { scaler.update(false); },
              throws_error(ErrorKind::numeric, "3 steps in a row overflowed at min_scale"));
}

TEST(LossScaler, AFiniteStepForgivesTheOverflowsBefore) {
  LossScaleConfig config;
  config.initial = 1;
  config.max_skips_at_floor = 2;
  LossScaler scaler(config);
  for (int i = 0; i < 20; ++i) EXPECT_NO_THROW(scaler.update(i % 2 == 0));
}

TEST(LossScaler, GoesOnFromItsState) {
  LossScaleConfig config;
  config.increment_period = 3;
  LossScaler whole(config), first(config);
  const auto finite = [](int i) { return i % 7 != 4; };
  for (int i = 0; i < 50; ++i) whole.update(finite(i));
  for (int i = 0; i < 23; ++i) first.update(finite(i));
  LossScaler second(config);
  second.restore(first.state());
  for (int i = 23; i < 50; ++i) second.update(finite(i));
  EXPECT_EQ(second.state(), whole.state());
}

}  // namespace
}  // namespace cupel::nn

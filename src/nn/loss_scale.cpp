#include "nn/loss_scale.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"

namespace cupel::nn {

LossScaler::LossScaler(const LossScaleConfig& config)
    : config_(config), scale_(static_cast<float>(config.initial)) {}

StepOutcome LossScaler::update(bool finite) {
  const auto floor = static_cast<float>(config_.min_scale);
  if (finite) {
    skips_at_floor_ = 0;
    if (++growth_tracker_ == config_.increment_period) {
      const auto grown = static_cast<float>(static_cast<double>(scale_) * config_.growth_factor);
      if (std::isfinite(grown)) scale_ = grown;
      if (config_.max_scale) scale_ = std::min(scale_, static_cast<float>(*config_.max_scale));
      growth_tracker_ = 0;
    }
    return StepOutcome::applied;
  }
  ++overflows_;
  skips_at_floor_ = scale_ <= floor ? skips_at_floor_ + 1 : 0;
  if (skips_at_floor_ >= config_.max_skips_at_floor) {
    fail(ErrorKind::numeric, "[train.loss_scale]",
         std::to_string(skips_at_floor_) + " steps in a row overflowed at min_scale",
         "lower min_scale; at 1 the gradients themselves are not finite: lower learning_rate, or "
         "train in bf16");
  }
  const auto backed_off = static_cast<float>(static_cast<double>(scale_) * config_.backoff_factor);
  scale_ = std::max(backed_off, floor);
  growth_tracker_ = 0;
  return StepOutcome::skipped;
}

json::Value LossScaler::state() const {
  return json::Object{{"scale", static_cast<double>(scale_)},
                      {"growth_tracker", growth_tracker_},
                      {"overflows", overflows_},
                      {"skips_at_floor", skips_at_floor_}};
}

void LossScaler::restore(const json::Value& state) {
  scale_ = static_cast<float>(state.at("scale", "loss_scale").as_double("loss_scale.scale"));
  growth_tracker_ = state.at("growth_tracker", "loss_scale").as_int("loss_scale.growth_tracker");
  overflows_ = state.at("overflows", "loss_scale").as_int("loss_scale.overflows");
  skips_at_floor_ = state.at("skips_at_floor", "loss_scale").as_int("loss_scale.skips_at_floor");
}

}  // namespace cupel::nn

#include "nn/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace cupel::nn {

int64_t total_steps(const FitConfig& config, int64_t micro_batches_per_epoch, int64_t world_size) {
  if (config.max_steps) return *config.max_steps;
  const double micro_batches = config.num_epochs * static_cast<double>(micro_batches_per_epoch);
  return std::max<int64_t>(
      1,
      std::llround(micro_batches / static_cast<double>(micro_batches_a_step(config, world_size))));
}

int64_t warmup_steps(const FitConfig& config, int64_t total_steps) {
  if (config.warmup_steps) return std::min(*config.warmup_steps, total_steps);
  return std::llround(config.warmup_ratio * static_cast<double>(total_steps));
}

double learning_rate(const FitConfig& config, int64_t step, int64_t total_steps) {
  const int64_t warmup = warmup_steps(config, total_steps);
  if (step < warmup) {
    return config.learning_rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
  }
  const int64_t decay_steps = std::max<int64_t>(total_steps - 1 - warmup, 1);
  const double past = static_cast<double>(step - warmup);
  const double progress = std::min(1.0, past / static_cast<double>(decay_steps));
  double share = 1;  // of the way from the floor to the peak
  switch (config.lr_scheduler) {
    case Schedule::cosine:
      share = 0.5 * (1 + std::cos(std::numbers::pi * progress));
      break;
    case Schedule::linear:
      share = 1 - progress;
      break;
    case Schedule::constant:
      break;
  }
  return config.learning_rate * (config.min_lr_ratio + (1 - config.min_lr_ratio) * share);
}

}  // namespace cupel::nn

// The learning rate of every step, as plain arithmetic.
#pragma once

#include <cstdint>

#include "nn/fit.h"

namespace cupel::nn {

/// Optimizer steps in a run over `micro_batches_per_epoch`: max_steps, else num_epochs over the
/// data.
int64_t total_steps(const FitConfig& config, int64_t micro_batches_per_epoch,
                    int64_t world_size = 1);

/// Steps of linear warm-up in a run of `total_steps`.
int64_t warmup_steps(const FitConfig& config, int64_t total_steps);

/// Learning rate of step `step` (from 0). Warm-up is linear and reaches the peak at its last step;
/// then the rate follows half a cosine (Loshchilov and Hutter 2017, without restarts) or a line
/// down to min_lr_ratio of the peak at the last step, or stays.
double learning_rate(const FitConfig& config, int64_t step, int64_t total_steps);

}  // namespace cupel::nn

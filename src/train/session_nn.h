// What the tasks of `train` share around the loop.
#pragma once

#include <optional>

#include "base/error.h"
#include "nn/batch_nn.h"
#include "train/plan.h"
#include "train/train.h"

namespace cupel::train {

at::ScalarType storage_of(nn::Precision compute);

/// Threads, and memory that is counted and kept. Throws Error{config} for settings that several
/// processes have no use for: of those that a launcher started the settings know nothing.
void begin_process(const Config& config, const Run& run);
/// What this machine makes of the recipe's precision; another than the one asked for is logged.
nn::PrecisionReport choose_precision(const Config& config, Run& run);

/// Better before the first step than in the middle of one. `processes` of this machine hold as much
/// each. Throws Error{resource}.
void require_memory(const Plan& planned, int64_t processes);

/// Throws Interrupted in every process of the run if one of them has been interrupted.
void require_all_ready(bool interrupted, Run& run);

/// What `make` returns, once all processes of the run are as far.
template <class Make>
auto prepare_together(const Make& make, Run& run) {
  std::optional<decltype(make())> made;
  try {
    made.emplace(make());
  } catch (const Interrupted&) {
  }
  require_all_ready(!made, run);
  return std::move(*made);
}

/// The loop, with loss scaling as the recipe asks and TensorBoard's events beside the metrics.
nn::FitReport run_loop(const Config& config, nn::Precision compute, const nn::FitModel& model,
                       const nn::FitData& data, const nn::FitHooks& hooks, Run& run);

void add_figures(const nn::FitReport& fitted, const Plan& planned, Report& report);

}  // namespace cupel::train

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
/// Where the steps of this process run.
class Place {
 public:
  /// Logs a warning where a GPU was asked for and there is none that is of use.
  Place(const Config& config, Run& run);

  const nn::DeviceReport& report() const { return report_; }
  at::Device device() const { return on_gpu() ? at::kCUDA : at::kCPU; }
  /// Bytes that each of `processes` of this machine may take.
  int64_t free_bytes(int64_t processes) const;
  int64_t peak_bytes() const;
  void reset_peak() const;

 private:
  bool on_gpu() const { return report_.used == nn::DeviceKind::cuda; }

  int64_t local_rank_;
  nn::DeviceReport report_;
};

/// What the device makes of the recipe's precision; another than the one asked for is logged.
nn::PrecisionReport choose_precision(const Config& config, const Place& place, Run& run);

/// Better before the first step than in the middle of one. `processes` of this machine hold as much
/// each. Throws Error{resource}.
void require_memory(const Plan& planned, const Place& place, int64_t processes);

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
nn::FitReport run_loop(const Config& config, nn::Precision compute, const Place& place,
                       const nn::FitModel& model, const nn::FitData& data,
                       const nn::FitHooks& hooks, Run& run);

void add_figures(const nn::FitReport& fitted, const Plan& planned, Report& report);

}  // namespace cupel::train

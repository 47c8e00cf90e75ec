// What the training loop tells of its speed: milliseconds a step, tokens a second.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/run.h"
#include "nn/fit.h"

namespace cupel::nn {

/// Times of the steps of this process, of those too that a rollback undid.
class StepClock {
 public:
  void add(double ms, int64_t tokens);
  /// Metrics step_ms and tokens_per_second, of the steps since the last call.
  void log(Run& run, int64_t step);
  /// Of all steps.
  void report(FitReport& report) const;

 private:
  std::vector<double> ms_;
  int64_t tokens_ = 0;
  std::size_t logged_steps_ = 0;
  int64_t logged_tokens_ = 0;
};

}  // namespace cupel::nn

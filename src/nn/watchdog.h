// Watches the loss: diverged steps in a row send the run back to its last checkpoint, and end it at
// last.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "nn/fit.h"

namespace cupel::nn {

/// Counts diverged steps; whoever runs the loop goes back and says so. At most twice a run.
class Watchdog {
 public:
  explicit Watchdog(const FitConfig& config);

  /// A step diverged if its loss or its gradients are not finite, or its loss is above the
  /// threshold (if any).
  void observe(double loss, bool finite_gradients);

  /// Whether the last step diverged.
  bool diverging() const { return diverged_ > 0; }
  /// loss_watchdog_patience diverged steps in a row.
  bool wants_rollback() const { return diverged_ >= patience_; }
  bool may_roll_back() const { return rollbacks_ < kMaxRollbacks; }
  /// The run went back to a checkpoint: steps are counted anew.
  void rolled_back();

  /// Throws the Error{numeric} that ends the run.
  [[noreturn]] void give_up(int64_t step, bool has_checkpoint) const;

  /// What a checkpoint keeps, and its return. Throws Error{data} for a state that lacks a part.
  json::Value state() const;
  void restore(const json::Value& state);

 private:
  static constexpr int64_t kMaxRollbacks = 2;
  double threshold_;
  int64_t patience_;
  int64_t diverged_ = 0;  // in a row
  int64_t rollbacks_ = 0;
};

}  // namespace cupel::nn

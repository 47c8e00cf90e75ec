#include "nn/watchdog.h"

#include <cmath>
#include <string>

#include "base/error.h"

namespace cupel::nn {

Watchdog::Watchdog(const FitConfig& config)
    : threshold_(config.loss_watchdog_threshold), patience_(config.loss_watchdog_patience) {}

void Watchdog::observe(double loss, bool finite_gradients) {
  const bool above = threshold_ > 0 && loss > threshold_;
  const bool diverged = !std::isfinite(loss) || !finite_gradients || above;
  diverged_ = diverged ? diverged_ + 1 : 0;
}

void Watchdog::rolled_back() {
  diverged_ = 0;
  ++rollbacks_;
}

void Watchdog::give_up(int64_t step, bool has_checkpoint) const {
  std::string text = "the loss diverged " + std::to_string(diverged_) +
                     " steps in a row up to step " + std::to_string(step);
  if (rollbacks_ > 0) text += ", after " + std::to_string(rollbacks_) + " returns to a checkpoint";
  if (!has_checkpoint) text += ", and there is no checkpoint to return to";
  fail(ErrorKind::numeric, "[train]", text,
       "lower learning_rate or max_grad_norm, lengthen warm-up, or look at the rows of these "
       "batches with "
       "`cupel preview`");
}

json::Value Watchdog::state() const {
  return json::Object{{"diverged", diverged_}, {"rollbacks", rollbacks_}};
}

void Watchdog::restore(const json::Value& state) {
  diverged_ = state.at("diverged", "watchdog").as_int("watchdog.diverged");
  rollbacks_ = state.at("rollbacks", "watchdog").as_int("watchdog.rollbacks");
}

}  // namespace cupel::nn

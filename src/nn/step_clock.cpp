#include "nn/step_clock.h"

#include <algorithm>
#include <numeric>

namespace cupel::nn {
namespace {

StepTime step_time(std::vector<double> ms) {
  if (ms.empty()) return {};
  std::sort(ms.begin(), ms.end());
  const auto last = static_cast<double>(ms.size() - 1);
  const auto at = [&](double share) { return ms[static_cast<std::size_t>(share * last)]; };
  return {at(0.5), at(0.95)};
}

}  // namespace

void StepClock::add(double ms, int64_t tokens) {
  ms_.push_back(ms);
  tokens_ += tokens;
}

void StepClock::log(Run& run, int64_t step) {
  const std::size_t count = ms_.size() - logged_steps_;
  if (count > 0) {
    const double ms =
        std::accumulate(ms_.begin() + static_cast<std::ptrdiff_t>(logged_steps_), ms_.end(), 0.0);
    run.metric("step_ms", step, ms / static_cast<double>(count));
    run.metric("tokens_per_second", step, static_cast<double>(tokens_ - logged_tokens_) / ms * 1e3);
  }
  logged_steps_ = ms_.size();
  logged_tokens_ = tokens_;
}

void StepClock::report(FitReport& report) const {
  const double ms = std::accumulate(ms_.begin(), ms_.end(), 0.0);
  if (ms > 0) report.tokens_per_second = static_cast<double>(tokens_) / ms * 1e3;
  report.step_ms = step_time(ms_);
}

}  // namespace cupel::nn

// Dynamic loss scaling as plain arithmetic: torch.amp.GradScaler's rule with a floor.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "nn/fit.h"

namespace cupel::nn {

/// What became of an optimizer step.
enum class StepOutcome { applied, skipped };

/// Micikevicius et al. 2018, section 3.2, as torch.amp.GradScaler has it: after an overflow the
/// scale is multiplied by backoff_factor and the step skipped; after increment_period finite steps
/// in a row it is multiplied by growth_factor, unless that leaves the range of float. On top: the
/// scale stays within [min_scale, max_scale], and max_skips_at_floor overflows in a row at
/// min_scale end the run. DeepSpeed's hysteresis is left out.
class LossScaler {
 public:
  explicit LossScaler(const LossScaleConfig& config);

  /// Multiplied into the loss before the backward pass.
  float scale() const { return scale_; }
  /// Multiplied into the gradients after it; rounded once from double, as GradScaler does.
  float inverse_scale() const { return static_cast<float>(1.0 / static_cast<double>(scale_)); }

  /// Call once a step with whether every unscaled gradient is finite.
  /// Throws Error{numeric} after max_skips_at_floor overflows in a row at the floor.
  StepOutcome update(bool finite);

  int64_t growth_tracker() const { return growth_tracker_; }
  int64_t overflows() const { return overflows_; }

  /// What a checkpoint keeps, and its return. Throws Error{data} for a state that lacks a part.
  json::Value state() const;
  void restore(const json::Value& state);

 private:
  LossScaleConfig config_;
  float scale_;
  int64_t growth_tracker_ = 0;  // finite steps since the scale last changed
  int64_t overflows_ = 0;
  int64_t skips_at_floor_ = 0;
};

}  // namespace cupel::nn

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/device.h"
#include "pipeline/claims/nested_run.h"
#include "pipeline/claims/protocols.h"
#include "pipeline/run_folder.h"

namespace cupel::pipeline::claims {
namespace {

using chart::Point;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kSmoothed = 3;  // validations a value of the curve is the mean of

struct MixedPrecisionClaim {
  TrainStage train;
  int64_t target_step = 0;
  int64_t memory_steps = 3;
  static constexpr auto fields() {
    using C = MixedPrecisionClaim;
    return std::tuple{
        Field{"train", &C::train, "as in a recipe; its precision is set by the protocol"},
        Field{"target_step", &C::target_step,
              "the validation loss of the fp32 run at this step is the one to reach", 1, 1e9},
        Field{"memory_steps", &C::memory_steps, "steps after which the peak of memory mode stands",
              1, 1e6}};
  }
};

/// A run as the claim sees it: validation loss, smoothed, and seconds of training behind it.
struct Curve {
  std::vector<Point> loss;     // x: step
  std::vector<Point> seconds;  // x: step, from {0, 0} on
  double peak_bytes = 0;       // of tensors
};

std::vector<Point> smoothed(const std::vector<Point>& values) {
  std::vector<Point> out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t begin = i + 1 < kSmoothed ? 0 : i + 1 - kSmoothed;
    double sum = 0;
    for (std::size_t j = begin; j <= i; ++j) sum += values[j].y;
    out.push_back({values[i].x, sum / static_cast<double>(i + 1 - begin)});
  }
  return out;
}

/// y at x, straight between points; NaN outside of them.
double value_at(const std::vector<Point>& curve, double x) {
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (curve[i].x < x) continue;
    if (curve[i].x == x) return curve[i].y;
    if (i == 0) break;
    const double share = (x - curve[i - 1].x) / (curve[i].x - curve[i - 1].x);
    return curve[i - 1].y + share * (curve[i].y - curve[i - 1].y);
  }
  return kNaN;
}

/// The step at which a falling curve first reaches `target`; NaN if it never does.
double step_at(const std::vector<Point>& loss, double target) {
  for (std::size_t i = 0; i < loss.size(); ++i) {
    if (loss[i].y > target) continue;
    if (i == 0) return loss[0].x;
    const double share = (loss[i - 1].y - target) / (loss[i - 1].y - loss[i].y);
    return loss[i - 1].x + share * (loss[i].x - loss[i - 1].x);
  }
  return kNaN;
}

json::Value train(const ClaimContext& context, const std::string& name, const TrainStage& config) {
  return run_nested(context, name, "train", config,
                    [&](const TrainStage& c, Run& run) { return context.heavy.train(c, run); });
}

Curve measure(const ClaimContext& context, const std::string& name, nn::Precision precision,
              TrainStage config) {
  config.precision = precision;
  const json::Value report = train(context, name, config);
  RunFolder folder = read_run_folder(context.folder / name);
  Curve curve;
  curve.loss = smoothed(folder.metrics["val_loss"]);
  if (curve.loss.empty())
    fail(ErrorKind::config, context.claim.id, "the run had no validation",
         "set train.val_set_size and train.eval_steps");
  curve.seconds.push_back({0, 0});
  for (const Point& point : folder.metrics["step_ms"]) {
    const Point& last = curve.seconds.back();
    curve.seconds.push_back({point.x, last.y + (point.x - last.x) * point.y / 1e3});
  }
  curve.peak_bytes = number_at(report, "peak_tensor_bytes");
  return curve;
}

/// Everything that lowers the peak without changing what is computed but by rounding.
TrainStage memory_mode(TrainStage config, int64_t steps) {
  config.precision = nn::Precision::mixed;
  config.gradient_checkpointing = true;
  config.optimizer = nn::OptimizerKind::adamw_8bit;
  config.grad_accum_dtype = nn::GradientDtype::bf16;
  config.max_steps = steps;
  config.save_steps = 0;
  return config;
}

}  // namespace

ClaimValues mixed_precision(const ClaimContext& context) {
  CUPEL_ASSERT(context.heavy.train != nullptr);
  const auto settings = context.settings<MixedPrecisionClaim>();
  // Every other random seed begins with the other run, so that a machine that grows slower or
  // faster meanwhile favours neither.
  const bool fp32_first = context.seed % 2 == 1;
  Curve fp32, mixed;
  if (fp32_first) fp32 = measure(context, "fp32", nn::Precision::fp32, settings.train);
  mixed = measure(context, "mixed", nn::Precision::mixed, settings.train);
  if (!fp32_first) fp32 = measure(context, "fp32", nn::Precision::fp32, settings.train);
  const json::Value lean =
      train(context, "memory_mode", memory_mode(settings.train, settings.memory_steps));

  const double target = value_at(fp32.loss, static_cast<double>(settings.target_step));
  const double fp32_steps = step_at(fp32.loss, target), mixed_steps = step_at(mixed.loss, target);
  const double fp32_seconds = value_at(fp32.seconds, fp32_steps);
  const double mixed_seconds = value_at(mixed.seconds, mixed_steps);
  ClaimValues values;
  values["time_to_loss_ratio"] = {
      fp32_seconds / mixed_seconds,
      {},
      fp32_seconds,
      nn::has_bf16_units() ? "" : "this CPU multiplies bf16 no faster than fp32"};
  values["steps_to_loss_ratio"] = {mixed_steps / fp32_steps, {}, fp32_steps};
  values["final_loss_ratio"] = {mixed.loss.back().y / fp32.loss.back().y, {}, fp32.loss.back().y};
  values["memory_ratio_mixed"] = {mixed.peak_bytes / fp32.peak_bytes, {}, fp32.peak_bytes};
  values["memory_ratio_memory_mode"] = {
      number_at(lean, "peak_tensor_bytes") / fp32.peak_bytes, {}, fp32.peak_bytes};
  return values;
}

}  // namespace cupel::pipeline::claims

// Settings and report of the training loop that train, compress, align and fuse share.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "nn/fwd.h"
#include "nn/hooks.h"
#include "nn/precision.h"

namespace cupel::nn {

enum class Schedule { cosine, linear, constant };
constexpr std::array<std::string_view, 3> names(Schedule) {
  return {"cosine", "linear", "constant"};
}
static_assert(names(Schedule{}).size() == static_cast<std::size_t>(Schedule::constant) + 1);

/// adamw_8bit: moments of a byte, in blocks with a scale (kernels/kernels.h, AdamW8Args).
enum class OptimizerKind { adamw, adamw_8bit };
constexpr std::array<std::string_view, 2> names(OptimizerKind) { return {"adamw", "adamw_8bit"}; }
static_assert(names(OptimizerKind{}).size() ==
              static_cast<std::size_t>(OptimizerKind::adamw_8bit) + 1);

constexpr std::array<std::pair<std::string_view, OptimizerKind>, 6> aliases(OptimizerKind) {
  using enum OptimizerKind;
  return {{{"adamw_torch", adamw},
           {"adamw_torch_fused", adamw},
           {"adamw_hf", adamw},
           {"adamw_bnb_8bit", adamw_8bit},
           {"adamw_torch_8bit", adamw_8bit},
           {"paged_adamw_8bit", adamw_8bit}}};
}

/// Under adamw_8bit a parameter with fewer elements keeps its moments in fp32, as in bitsandbytes:
/// there is nothing to gain, and norms are sensitive.
inline constexpr int64_t kSmallest8bit = 4096;

/// What gradients are kept in between the backward pass and the step.
enum class GradientDtype { fp32, bf16 };
constexpr std::array<std::string_view, 2> names(GradientDtype) { return {"fp32", "bf16"}; }
static_assert(names(GradientDtype{}).size() == static_cast<std::size_t>(GradientDtype::bf16) + 1);

/// Dynamic loss scaling: torch.amp.GradScaler's rule, with DeepSpeed's floor.
struct LossScaleConfig {
  double initial = 65536;
  double growth_factor = 2;
  double backoff_factor = 0.5;
  int64_t increment_period = 2000;
  double min_scale = 1;
  std::optional<double> max_scale;
  int64_t max_skips_at_floor = 50;
  static constexpr auto fields() {
    using C = LossScaleConfig;
    return std::tuple{
        Field{"initial", &C::initial, "first loss scale", 1e-30, 1e30}.also("init_scale"),
        Field{"growth_factor", &C::growth_factor, "factor after increment_period finite steps", 1,
              1e6},
        Field{"backoff_factor", &C::backoff_factor, "factor after an overflow", 1e-6, 1},
        Field{"increment_period", &C::increment_period, "finite steps before the scale grows", 1,
              1e12}
            .also("growth_interval", "loss_scale_window"),
        Field{"min_scale", &C::min_scale, "the scale never falls below this", 0, 1e30}.also(
            "min_loss_scale"),
        Field{"max_scale", &C::max_scale, "the scale never rises above this", 0, 1e38},
        Field{"max_skips_at_floor", &C::max_skips_at_floor,
              "stop the run after this many overflows in a row at min_scale", 1, 1e9}};
  }
};

/// The loop's settings, under axolotl's names; LLaMA-Factory's are aliases.
struct FitConfig {
  Precision precision = Precision::mixed;
  std::optional<LossScaleConfig> loss_scale;
  int64_t micro_batch_size = 8;
  int64_t gradient_accumulation_steps = 1;
  std::optional<int64_t> max_steps;
  double num_epochs = 1;
  double learning_rate = 3e-4;
  Schedule lr_scheduler = Schedule::cosine;
  double min_lr_ratio = 0.1;
  std::optional<int64_t> warmup_steps;
  double warmup_ratio = 0.03;
  OptimizerKind optimizer = OptimizerKind::adamw;
  GradientDtype grad_accum_dtype = GradientDtype::fp32;
  double weight_decay = 0.1;
  double adam_beta1 = 0.9;
  double adam_beta2 = 0.95;
  double adam_epsilon = 1e-8;
  double max_grad_norm = 1.0;
  bool gradient_checkpointing = false;
  int64_t logging_steps = 10;
  int64_t eval_steps = 100;
  int64_t save_steps = 200;
  int64_t save_total_limit = 2;
  double loss_watchdog_threshold = 0;
  int64_t loss_watchdog_patience = 3;
  int64_t nproc = 1;
  double ddp_timeout = 1800;

  static constexpr auto fields() {
    using C = FitConfig;
    return std::tuple{
        Field{"precision", &C::precision,
              "number format of the matrix products; master weights stay fp32"},
        Field{"loss_scale", &C::loss_scale,
              "dynamic loss scaling; default: on under fp16, off otherwise"},
        Field{"micro_batch_size", &C::micro_batch_size, "sequences in one forward pass", 1, 1e6}
            .also("per_device_train_batch_size", "batch_size"),
        Field{"gradient_accumulation_steps", &C::gradient_accumulation_steps,
              "micro-batches of each process in one optimizer step", 1, 1e6},
        Field{"max_steps", &C::max_steps, "optimizer steps; default: num_epochs over the data", 1,
              1e12},
        Field{"num_epochs", &C::num_epochs, "passes over the training data", 0, 1e6}.also(
            "num_train_epochs"),
        Field{"learning_rate", &C::learning_rate, "peak learning rate", 0, 1e3}.also("lr"),
        Field{"lr_scheduler", &C::lr_scheduler, "shape of the learning rate after warm-up"}.also(
            "lr_scheduler_type"),
        Field{"min_lr_ratio", &C::min_lr_ratio, "last learning rate over the peak", 0, 1}.also(
            "cosine_min_lr_ratio"),
        Field{"warmup_steps", &C::warmup_steps, "steps of linear warm-up; default: warmup_ratio", 0,
              1e12},
        Field{"warmup_ratio", &C::warmup_ratio, "share of the steps that warms up", 0, 1},
        Field{"optimizer", &C::optimizer,
              "adamw, or adamw_8bit: its moments take 2 bytes a weight instead of 8"}
            .also("optim"),
        Field{"grad_accum_dtype", &C::grad_accum_dtype,
              "what gradients are kept in until the step; bf16 takes half the memory"},
        Field{"weight_decay", &C::weight_decay, "decoupled weight decay of matrices", 0, 1e3},
        Field{"adam_beta1", &C::adam_beta1, "AdamW's first beta", 0, 0.999999},
        Field{"adam_beta2", &C::adam_beta2, "AdamW's second beta", 0, 0.999999},
        Field{"adam_epsilon", &C::adam_epsilon, "AdamW's epsilon", 1e-20, 1},
        Field{"max_grad_norm", &C::max_grad_norm,
              "clip the global gradient norm to this; 0 = never", 0, 1e9},
        Field{"gradient_checkpointing", &C::gradient_checkpointing,
              "recompute activations in the backward pass: less memory, about a third more time"},
        Field{"logging_steps", &C::logging_steps, "steps between metrics", 1, 1e9},
        Field{"eval_steps", &C::eval_steps, "steps between validations; 0 = only at the end", 0,
              1e12},
        Field{"save_steps", &C::save_steps, "steps between checkpoints; 0 = only when interrupted",
              0, 1e12},
        Field{"save_total_limit", &C::save_total_limit, "checkpoints kept", 1, 1e6},
        Field{"loss_watchdog_threshold", &C::loss_watchdog_threshold,
              "a loss above this counts as diverged; 0 = only NaN and infinity do", 0, 1e9},
        Field{"loss_watchdog_patience", &C::loss_watchdog_patience,
              "diverged steps in a row before the run goes back to its last checkpoint", 1, 1e6},
        Field{"nproc", &C::nproc,
              "processes that train one model together; under torchrun and its like leave it out",
              1, 1e4},
        Field{"ddp_timeout", &C::ddp_timeout,
              "seconds that a process waits for the others before it gives up", 1, 1e6}};
  }
};

/// Micro-batches that one step of a run of `world_size` processes takes.
inline int64_t micro_batches_a_step(const FitConfig& config, int64_t world_size) {
  return config.gradient_accumulation_steps * world_size;
}

/// What the loop trains. Parameters are those of `module` that require a gradient; its buffers are
/// saved with them.
struct FitModel {
  torch::nn::Module* module = nullptr;
  /// Of the matrix products; kept in checkpoints, so that a resume under another is told.
  Precision compute = Precision::fp32;
  LossFunction loss;
  /// Before a micro-batch, so that its randomness (dropout) depends on its index alone; may be
  /// empty.
  std::function<void(int64_t micro_batch)> begin_micro_batch;
  /// After a step that was applied, outside autograd (router bias); may be empty.
  std::function<void()> end_step;
  /// Reports the model's own metrics of the steps since the last call (expert load); may be empty.
  std::function<void(Run&, int64_t step)> log_metrics;
  /// Reports what else the last validation found; may be empty.
  std::function<void(Run&, int64_t step)> log_validation{};
  /// What of the model's own figures a checkpoint keeps, and its return; both may be empty.
  std::function<json::Value()> state{};
  std::function<void(const json::Value&)> restore{};
  /// Before the micro-batches of a step; may be empty.
  std::function<void()> begin_step{};
  /// The model's own sums over a step's micro-batches (expert load), and their return as sums over
  /// those of all processes, before end_step; both may be empty.
  std::function<std::vector<double>()> sums{};
  std::function<void(const std::vector<double>&)> take_sums{};
  /// The batch's inputs as vectors, differentiable by the table they come from: what a hook finds
  /// in Batch::embeddings. Empty: the inputs are features already.
  std::function<at::Tensor(const Batch&)> embed{};
};

struct FitData {
  int64_t micro_batches_per_epoch = 0;
  /// A pure function of the index, from 0 over all epochs: resuming needs no other position.
  std::function<Batch(int64_t index)> micro_batch;
  /// Mean loss a label on the validation set; empty: no validation. May throw Interrupted when
  /// asked to stop: the loop saves, and a run that resumes begins with that validation.
  std::function<double()> validate;
};

struct FitHooks {
  BatchHook batch;        // empty: loss(batch)
  GradientHook gradient;  // empty: backward()
  HookMemory memory;      // of both
};

struct StepTime {
  double p50 = 0, p95 = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"p50", &StepTime::p50, "median"},
                      Field{"p95", &StepTime::p95, "95th percentile"}};
  }
};

struct LossScaleReport {
  double final = 0;
  int64_t overflows = 0, skipped_steps = 0;
  static constexpr auto fields() {
    using C = LossScaleReport;
    return std::tuple{Field{"final", &C::final, "scale at the end"},
                      Field{"overflows", &C::overflows, "steps whose gradients overflowed"},
                      Field{"skipped_steps", &C::skipped_steps, "steps that were skipped"}};
  }
};

struct FitReport {
  int64_t steps = 0;
  double labels = 0;      // that counted, over all steps
  double train_loss = 0;  // mean over the last logging period, nats a label; NaN: none was finite
  std::optional<double> val_loss;
  double tokens_per_second = 0;  // of all processes' batches, over the training steps alone
  StepTime step_ms;
  std::optional<LossScaleReport> loss_scale;
  std::optional<int64_t> resumed_from;
};

/// Trains: batches, hooks, loss → gradients, scaler, clipping, AdamW, validation, checkpoints.
/// Micro-batches are weighted by their labels, so any split of a step's batch gives the same
/// gradient. The processes of a run (Run::peers) are dealt a step's micro-batches by index: W of
/// them with gradient_accumulation_steps A see what one sees with W * A. A run that resumes goes on
/// from its newest intact checkpoint and ends with the same bits. Throws Interrupted after a full
/// save if the run was asked to stop; Error{numeric} if the loss left the finite world and did not
/// come back. `scaling` is null where loss scaling is off.
FitReport fit(const FitConfig& config, const std::optional<LossScaleConfig>& scaling,
              const FitModel& model, const FitData& data, const FitHooks& hooks, Run& run);

}  // namespace cupel::nn

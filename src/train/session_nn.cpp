#include "train/session_nn.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "base/error.h"
#include "base/events_file.h"
#include "base/machine.h"
#include "base/text.h"
#include "nn/checkpoint.h"
#include "nn/device.h"
#include "nn/device_nn.h"
#include "nn/distributed_fit_nn.h"
#include "nn/memory_nn.h"

namespace cupel::train {
namespace {

/// Every metric also goes to an event file that TensorBoard reads.
void write_tensorboard_events(Run& run) {
  if (!run.has_folder()) return;
  int64_t keep_step = 0;
  if (run.resuming()) {
    if (const auto checkpoint = nn::newest_intact_checkpoint(run)) keep_step = checkpoint->step;
  }
  const auto events =
      std::make_shared<EventsFile>(run.folder() / "events.out.tfevents.cupel", keep_step);
  run.subscribe([events, &run](const Event& event) {
    if (event.kind == Event::Kind::metric)
      events->scalar(event.name, event.step, event.value, run.time());
    // Before a checkpoint: a resumed run goes on behind the events up to it.
    if (event.kind == Event::Kind::section_begin) events->sync();
  });
}

}  // namespace

at::ScalarType storage_of(nn::Precision compute) {
  return compute == nn::Precision::bf16   ? at::kBFloat16
         : compute == nn::Precision::fp16 ? at::kHalf
                                          : at::kFloat;
}

void begin_process(const Config& config, const Run& run) {
  nn::count_tensor_bytes();
  nn::keep_freed_memory();
  nn::use_threads(run.threads());
  if (run.peers().size > 1 && config.grad_accum_dtype == nn::GradientDtype::bf16)
    fail(ErrorKind::config, "train.grad_accum_dtype", "bf16 is for one process",
         "leave it out: several sum gradients in fp32");
}

Place::Place(const Config& config, Run& run)
    : local_rank_(run.peers().rank % run.peers().local_size) {
  std::string for_cpu;  // why
  if (config.optimizer == nn::OptimizerKind::adamw_8bit) for_cpu = "adamw_8bit is for the CPU";
  if (config.task == Task::classify) for_cpu = "task: classify is for the CPU";
  report_ = nn::choose_device(for_cpu.empty() ? config.device : nn::DeviceKind::cpu, local_rank_);
  report_.requested = config.device;
  if (!for_cpu.empty() && config.device != nn::DeviceKind::cpu) report_.reason = for_cpu;
  if (on_gpu()) nn::use_gpu(local_rank_, config.tf32);
  if (config.device == nn::DeviceKind::cuda && !on_gpu())
    run.log(LogLevel::warning, "device cpu: " + report_.reason);
}

int64_t Place::free_bytes(int64_t processes) const {
  return on_gpu() ? nn::free_gpu_bytes(local_rank_) : available_memory_bytes() / processes;
}

int64_t Place::peak_bytes() const {
  return on_gpu() ? nn::peak_gpu_bytes(local_rank_) : nn::peak_tensor_bytes();
}

void Place::reset_peak() const {
  on_gpu() ? nn::reset_peak_gpu_bytes(local_rank_) : nn::reset_peak_tensor_bytes();
}

nn::PrecisionReport choose_precision(const Config& config, const Place& place, Run& run) {
  const nn::DeviceKind device = place.report().used;
  nn::PrecisionReport report = nn::resolve_precision(config.precision, nn::has_fp16_units(device),
                                                     nn::has_bf16_units(device));
  if (report.compute != config.precision)
    run.log(LogLevel::info,
            "precision " + std::string(name_of(report.compute)) + ": " + report.reason);
  return report;
}

void require_memory(const Plan& planned, const Place& place, int64_t processes) {
  const int64_t available = place.free_bytes(processes);
  // A base model is read in fp32, whatever its frozen weights become.
  const int64_t needed = std::max(planned.planned_memory_bytes, 4 * planned.parameters);
  if (needed <= available) return;
  const auto gib = [](int64_t bytes) {
    return shortest(std::round(static_cast<double>(bytes) / 0x1p30 * 10) / 10) + " GiB";
  };
  fail(ErrorKind::resource, "[train]",
       "planned for " + gib(needed) + " of tensors" +
           (processes > 1 ? " in each of " + std::to_string(processes) + " processes" : "") +
           ", but " + gib(available) + " of memory are free" + (processes > 1 ? " for each" : ""),
       "lower micro_batch_size or set gradient_checkpointing: true");
}

void require_all_ready(bool interrupted, Run& run) {
  nn::Ensemble ensemble(run);
  std::vector<double> count{interrupted ? 1.0 : 0.0};
  ensemble.sum(count, "the others to be ready");
  if (count[0] > 0 || (!ensemble.alone() && ensemble.wants_stop())) throw Interrupted();
}

nn::FitReport run_loop(const Config& config, nn::Precision compute, const Place& place,
                       const nn::FitModel& model, const nn::FitData& data,
                       const nn::FitHooks& hooks, Run& run) {
  std::optional<nn::LossScaleConfig> scaling = config.loss_scale;
  if (!scaling && compute == nn::Precision::fp16) scaling.emplace();
  write_tensorboard_events(run);
  place.reset_peak();
  return nn::fit(config, scaling, model, data, hooks, run);
}

void add_figures(const nn::FitReport& fitted, const Plan& planned, const Place& place,
                 Report& report) {
  report.device = place.report();
  report.steps = fitted.steps;
  report.tokens = planned.tokens;
  report.world_size = planned.world_size;
  report.parameters = planned.parameters;
  report.active_parameters = planned.active_parameters;
  report.trainable_parameters = planned.trainable_parameters;
  report.train_loss = fitted.train_loss;
  report.val_loss = fitted.val_loss;
  report.step_ms = fitted.step_ms;
  report.loss_scale = fitted.loss_scale;
  report.resumed_from = fitted.resumed_from;
  report.planned_memory_bytes = planned.planned_memory_bytes;
  report.peak_tensor_bytes = place.peak_bytes();
  report.tokens_per_second = fitted.tokens_per_second;
}

}  // namespace cupel::train

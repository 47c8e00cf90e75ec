#include "pipeline/plan.h"

#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "base/machine.h"
#include "data/tokenizer/gguf_tokenizer.h"
#include "nn/device.h"
#include "nn/llm/model_files.h"
#include "pipeline/estimate.h"
#include "pipeline/execute.h"
#include "pipeline/figures.h"
#include "pipeline/processes.h"
#include "pipeline/training_data.h"

namespace cupel::pipeline {
namespace {

/// A model of an earlier stage that does not exist yet has no shape to plan with, and without the
/// rows to classify nobody knows their classes and lengths.
bool waits_for_a_stage(const train::Config& config) {
  const auto waits = [](const train::DatasetConfig& set) {
    return set.path.text.starts_with("${");
  };
  if (config.task == train::Task::classify && std::ranges::any_of(config.datasets, waits))
    return true;
  return config.base_model.text.starts_with("${") || config.tokenizer.path.text.starts_with("${");
}

int64_t vocabulary(const train::Config& config) {
  if (config.model && config.model->vocab_size > 0) return config.model->vocab_size;
  if (config.tokenizer.vocab_size) return *config.tokenizer.vocab_size;
  if (!config.base_model.empty()) return llm::model_config_of(config.base_model.text).vocab_size;
  if (!config.tokenizer.path.empty())
    return load_tokenizer(config.tokenizer.path.text).vocab_size();
  return 0;
}

Element element_of(nn::Precision compute) {
  if (compute == nn::Precision::fp32) return Element::f32;
  return compute == nn::Precision::bf16 ? Element::bf16 : Element::f16;
}

/// Of matrices as wide as the model, at the speed of this machine.
double seconds_of(const TrainStage& config, const Request& request, nn::Precision compute,
                  int64_t width, double flops) {
  const int threads = request.recipe.threads;
  ThreadPool pool(threads > 0 ? threads : available_threads());
  const Element type = element_of(compute);
  const double fp32_rate = measured_rate(Element::f32, width, pool);
  const double rate = type == Element::f32 ? fp32_rate : measured_rate(type, width, pool);
  const double cost = config.augment ? config.augment->cost() : 1;
  return training_seconds(cost * flops, rate, fp32_rate);
}

void plan_training(const TrainStage& config, const Request& request, StagePlan& out) {
  const nn::Precision compute =
      nn::resolve_precision(config.precision, nn::has_fp16_units(), nn::has_bf16_units()).compute;
  const int64_t known = vocabulary(config);
  llm::ModelConfig model;
  int64_t sequences = 0;
  if (config.max_steps && known > 0) {
    model = train::resolve_model(config, known);
  } else {
    const TrainingData data = read_training_data(config, request);
    model = train::resolve_model(config, data.tokenizer.vocab_size());
    sequences = data.order.sequences_per_epoch();
  }
  const nn::HookMemory hooks = config.augment ? config.augment->memory() : nn::HookMemory{};
  out.train = train::plan(config, model, compute, sequences, hooks, world_size(request));
  const double flops = training_flops(config, model, *out.train);
  out.estimated_seconds = seconds_of(config, request, compute, model.hidden_size, flops);
}

void plan_classifying(const TrainStage& config, const Request& request, StagePlan& out) {
  const nn::Precision compute =
      nn::resolve_precision(config.precision, nn::has_fp16_units(), nn::has_bf16_units()).compute;
  const ClassifierData data = read_classifier_data(config, request);
  const nn::HookMemory hooks = config.augment ? config.augment->memory() : nn::HookMemory{};
  const nn::BatchSizes sizes = data.rows.order->sizes();
  const nn::ClassifierConfig& model = data.rows.model;
  out.train = train::plan_classifier(config, model, compute, sizes, hooks, world_size(request));
  const double flops =
      training_flops(config, model.encoder, sizes.length, static_cast<double>(out.train->tokens));
  out.estimated_seconds = seconds_of(config, request, compute, model.encoder.hidden_size, flops);
}

StagePlan plan_stage(const Stage& stage, const Request& request) {
  StagePlan result{stage.name, std::nullopt, std::nullopt};
  if (stage.verb != find_section("train")) return result;
  const auto config = settings_of<TrainStage>(stage, request.recipe);
  if (waits_for_a_stage(config)) return result;
  const bool classifies = config.task == train::Task::classify;
  (classifies ? plan_classifying : plan_training)(config, request, result);
  return result;
}

}  // namespace

std::string PlanReport::text() const {
  std::string out;
  for (const StagePlan& stage : stages) {
    out += stage.stage + "\n";
    if (stage.train) {
      json::Value figures = to_json(*stage.train);
      figures.set("estimated_time", seconds_text(stage.estimated_seconds.value_or(NAN)));
      out += figures_text(figures);
    } else {
      out += "  nothing to plan before it begins\n";
    }
  }
  out += "this machine\n";
  out += figures_text(
      json::Object{{"available_bytes", available_bytes}, {"free_disk_bytes", free_disk_bytes}});
  if (!fits) {
    out +=
        "more memory is planned than is available: lower micro_batch_size or sequence_len, or "
        "set gradient_checkpointing\n";
  }
  return out;
}

PlanReport plan(const NoSettings&, const Request& request) {
  PlanReport report;
  report.available_bytes = available_memory_bytes();
  report.free_disk_bytes = free_disk_bytes(run_folder(request));
  for (const Stage& stage : request.recipe.stages) {
    report.stages.push_back(plan_stage(stage, request));
    const auto& planned = report.stages.back().train;
    // Without a launcher the processes are all of this machine.
    const int64_t here = planned && !request.ranks ? planned->world_size : 1;
    if (planned && planned->planned_memory_bytes > report.available_bytes / here)
      report.fits = false;
  }
  return report;
}

}  // namespace cupel::pipeline

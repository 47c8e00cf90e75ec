#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "base/events_file.h"
#include "base/machine.h"
#include "base/text.h"
#include "nn/checkpoint.h"
#include "nn/device.h"
#include "nn/device_nn.h"
#include "nn/distributed_fit_nn.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/generate_nn.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/model_files.h"
#include "nn/memory_nn.h"
#include "train/dataset.h"
#include "train/plan.h"
#include "train/save_nn.h"
#include "train/train.h"

namespace cupel::train {
namespace {

/// More routed experts than this, and only the busiest is reported.
constexpr int64_t kExpertsReported = 32;

at::ScalarType storage_of(nn::Precision compute) {
  return compute == nn::Precision::bf16   ? at::kBFloat16
         : compute == nn::Precision::fp16 ? at::kHalf
                                          : at::kFloat;
}

nn::Batch to_batch(SequenceBatch sequences) {
  nn::Batch batch;
  const std::vector<int64_t> shape{sequences.rows, sequences.length};
  batch.inputs = at::tensor(sequences.inputs, at::kLong).view(shape);
  batch.labels = at::tensor(sequences.labels, at::kLong).view(shape);
  batch.first = at::tensor(sequences.first, at::kInt).view(shape);
  batch.positions = at::tensor(sequences.positions, at::kInt).view(shape);
  batch.weight = static_cast<double>(sequences.labels_counted);
  batch.lengths = at::tensor(sequences.row_lengths, at::kLong);
  return batch;
}

/// Validation sequences in micro-batches, and how many bytes of text a label stands for.
struct Validation {
  std::vector<SequenceBatch> batches;
  double bytes_per_label = 0;
};

double bytes_per_label(const std::vector<SequenceBatch>& batches, const Tokenizer& tokenizer) {
  double bytes = 0, labels = 0;
  for (const SequenceBatch& batch : batches) {
    labels += static_cast<double>(batch.labels_counted);
    for (const int64_t label : batch.labels) {
      const auto id = static_cast<int32_t>(label);
      // The end-of-text token is a label of no text.
      if (id >= 0 && !tokenizer.is_special(id))
        bytes += static_cast<double>(tokenizer.token_bytes(id).size());
    }
  }
  return labels > 0 ? bytes / labels : 0;
}

Validation make_validation(const Config& config, const std::vector<Source>& sources,
                           const Tokenizer& tokenizer) {
  Validation validation;
  std::vector<Sequence> all;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const TokenStream& stream = sources[i].stream;
    // A held-out text shorter than a sequence is still weighed.
    const int64_t length =
        std::min(config.sequence_len, static_cast<int64_t>(stream.ids.size()) - 1);
    if (length < 1) continue;
    const std::vector<Sequence> part =
        cut_stream(stream, i, sources[i].cut,
                   sources[i].cut == Cut::windows ? length : config.sequence_len, 0);
    all.insert(all.end(), part.begin(), part.end());
  }
  const auto rows = static_cast<std::size_t>(config.micro_batch_size);
  for (std::size_t begin = 0; begin < all.size(); begin += rows) {
    const std::size_t count = std::min(rows, all.size() - begin);
    validation.batches.push_back(
        make_batch(std::span(all).subspan(begin, count), sources, config.sequence_len));
  }
  validation.bytes_per_label = bytes_per_label(validation.batches, tokenizer);
  return validation;
}

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

/// The model of a run and how its loss is taken.
class Trainee {
 public:
  Trainee(const Config& config, const llm::ModelConfig& model, nn::Precision compute, Run& run)
      : config_(config), decoder_(std::make_shared<llm::Decoder>(model)), run_(run) {
    if (config.base_model.empty()) {
      decoder_->initialise(run);
    } else {
      llm::record_model(config.base_model.text, run);
      llm::load_weights(config.base_model.text, *decoder_);
    }
    if (!adapts()) return;
    llm::add_adapters(*decoder_, config.adapter_config(), run, "train.lora_target_modules");
    if (storage_of(compute) != at::kFloat) llm::narrow_frozen(*decoder_, storage_of(compute));
  }

  const std::shared_ptr<llm::Decoder>& decoder() const { return decoder_; }

  nn::FitModel fit_model(nn::Precision compute) {
    training_.storage = storage_of(compute);
    training_.dropout = config_.dropout;
    training_.adapter_dropout = config_.lora_dropout;
    training_.count_load = true;
    training_.recompute = config_.gradient_checkpointing;
    training_.mtp_loss_weight = config_.mtp_loss_weight;
    nn::FitModel model;
    model.module = decoder_.get();
    model.compute = compute;
    model.loss = [this](const nn::Batch& batch) {
      const at::Tensor loss = decoder_->loss(batch, training_);
      mtp_sum_ += decoder_->mtp_loss();
      mtp_labels_ += batch.weight;
      return loss;
    };
    model.embed = [this](const nn::Batch& batch) {
      at::Tensor embedded = decoder_->embed(batch);
      // Hooks differentiate by it, also where the table is not trained.
      return embedded.requires_grad() ? embedded : embedded.requires_grad_(true);
    };
    model.begin_micro_batch = [this](int64_t index) {
      training_.dropout_key = run_.stream("dropout", static_cast<uint64_t>(index)).next_u64() >> 16;
    };
    model.begin_step = [this] {
      mtp_sum_ = mtp_labels_ = 0;
      for (llm::Experts* layer : decoder_->expert_layers()) layer->begin_step();
    };
    model.sums = [this] { return step_sums(); };
    model.take_sums = [this](const std::vector<double>& sums) { take_step_sums(sums); };
    model.end_step = [this] {
      if (adapts()) return;  // the bias is the base model's
      for (llm::Experts* layer : decoder_->expert_layers())
        layer->update_bias(config_.router_bias_update_rate);
    };
    model.log_metrics = [this](Run& run, int64_t step) { log_metrics(run, step); };
    model.state = [this] { return json::Object{{"max_expert_load", max_expert_load_}}; };
    model.restore = [this](const json::Value& state) {
      max_expert_load_ = state.at("max_expert_load", "model").as_double("max_expert_load");
    };
    return model;
  }

  /// Batches are dealt out to the processes of the run and summed in their order, so that the loss
  /// has the bits that one process gives it.
  double validation_loss(const Validation& validation, at::ScalarType storage) {
    at::NoGradGuard no_grad;
    nn::Ensemble ensemble(run_);
    llm::LossOptions options;
    options.storage = storage;
    std::vector<double> losses(validation.batches.size());
    double labels = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      labels += static_cast<double>(validation.batches[i].labels_counted);
      if (static_cast<int64_t>(i) % ensemble.size() != ensemble.rank()) continue;
      if (run_.stop_requested()) break;
      losses[i] = decoder_->loss(to_batch(validation.batches[i]), options).item<double>();
    }
    ensemble.sum(losses, "the validation losses");
    if (ensemble.wants_stop()) throw Interrupted();
    const double loss = std::accumulate(losses.begin(), losses.end(), 0.0);
    return labels > 0 ? loss / labels : 0;
  }

  double max_expert_load() const { return max_expert_load_; }

 private:
  bool adapts() const { return config_.adapter == Adapter::lora; }

  /// Of this process's micro-batches: further losses and their labels, then each layer's load.
  std::vector<double> step_sums() const {
    std::vector<double> sums{mtp_sum_, mtp_labels_};
    for (const llm::Experts* layer : decoder_->expert_layers())
      sums.insert(sums.end(), layer->load().begin(), layer->load().end());
    return sums;
  }

  void take_step_sums(const std::vector<double>& sums) {
    mtp_sum_ = sums[0];
    mtp_labels_ = sums[1];
    auto next = sums.begin() + 2;
    for (llm::Experts* layer : decoder_->expert_layers()) {
      const auto end = next + static_cast<std::ptrdiff_t>(layer->load().size());
      layer->set_load({next, end});
      next = end;
    }
  }

  /// Load of the latest step: tokens over what an even spread would give.
  void log_metrics(Run& run, int64_t step) {
    const std::vector<llm::Experts*> layers = decoder_->expert_layers();
    if (layers.empty()) return;
    max_expert_load_ = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      const std::vector<int64_t>& load = layers[i]->load();
      double total = 0;
      for (const int64_t tokens : load) total += static_cast<double>(tokens);
      const double even = std::max(1.0, total / static_cast<double>(load.size()));
      for (std::size_t e = 0; e < load.size(); ++e) {
        const double share = static_cast<double>(load[e]) / even;
        max_expert_load_ = std::max(max_expert_load_, share);
        if (static_cast<int64_t>(load.size()) <= kExpertsReported)
          run.metric("expert_load/" + std::to_string(i) + "/" + std::to_string(e), step, share);
      }
    }
    run.metric("max_expert_load", step, max_expert_load_);
    if (decoder_->config().num_nextn_predict_layers > 0 && config_.mtp_loss_weight > 0)
      run.metric("mtp_loss", step, mtp_sum_ / std::max(1.0, mtp_labels_));
  }

  const Config& config_;
  std::shared_ptr<llm::Decoder> decoder_;
  Run& run_;
  llm::LossOptions training_;
  double max_expert_load_ = 0;
  double mtp_sum_ = 0, mtp_labels_ = 0;  // of the latest step
};

/// A stop cuts them short.
std::vector<std::string> make_samples(const Config& config, const LanguageModel& model, Run& run) {
  std::vector<std::string> texts;
  GenerateOptions options;
  options.max_new_tokens = config.samples.max_new_tokens;
  options.temperature = config.samples.temperature;
  options.seed = run.seed();
  options.cancelled = [&run] { return run.stop_requested(); };
  for (const std::string& prompt : config.samples.prompts)
    texts.push_back(model.generate(prompt, options, {}));
  return texts;
}

/// Better before the first step than in the middle of one. `processes` of this machine hold as much
/// each.
void require_memory(const Plan& planned, int64_t processes) {
  const int64_t available = available_memory_bytes() / processes;
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

/// What is made of a recipe before the loop begins.
struct Prepared {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<ChatTemplate> chat_template;
  llm::ModelConfig model;
  Validation validation;
  SequenceOrder order;
};

Prepared prepare(const Config& config, Run& run) {
  const std::vector<TextSet> texts = load_texts(config, run);
  auto tokenizer = std::make_shared<const Tokenizer>(make_tokenizer(config, texts, run));
  Dataset dataset = tokenize(config, texts, *tokenizer, run);
  llm::ModelConfig model = resolve_model(config, tokenizer->vocab_size());
  Validation validation = make_validation(config, dataset.validation, *tokenizer);
  if (dataset.chat_template)
    run.set_manifest("chat_template_sha256", dataset.chat_template->hash());
  return {std::move(tokenizer), std::move(dataset.chat_template), std::move(model),
          std::move(validation), SequenceOrder(std::move(dataset.train), config.sequence_len, run)};
}

/// Throws Interrupted in every process of the run if one of them has been interrupted.
void require_all_ready(bool interrupted, Run& run) {
  nn::Ensemble ensemble(run);
  std::vector<double> count{interrupted ? 1.0 : 0.0};
  ensemble.sum(count, "the others to be ready");
  if (count[0] > 0 || (!ensemble.alone() && ensemble.wants_stop())) throw Interrupted();
}

Prepared prepare_together(const Config& config, Run& run) {
  std::optional<Prepared> prepared;
  try {
    prepared.emplace(prepare(config, run));
  } catch (const Interrupted&) {
  }
  require_all_ready(!prepared, run);
  return std::move(*prepared);
}

nn::FitReport fit(const Config& config, Prepared& prepared, Trainee& trainee, nn::Precision compute,
                  const nn::FitHooks& hooks, Run& run) {
  const at::ScalarType storage = storage_of(compute);
  std::optional<nn::LossScaleConfig> scaling = config.loss_scale;
  if (!scaling && compute == nn::Precision::fp16) scaling.emplace();
  nn::FitData data;
  data.micro_batches_per_epoch =
      std::max<int64_t>(1, prepared.order.sequences_per_epoch() / config.micro_batch_size);
  data.micro_batch = [&](int64_t index) {
    return to_batch(prepared.order.batch(index * config.micro_batch_size, config.micro_batch_size));
  };
  if (!prepared.validation.batches.empty())
    data.validate = [&] { return trainee.validation_loss(prepared.validation, storage); };
  write_tensorboard_events(run);
  nn::reset_peak_tensor_bytes();
  return nn::fit(config, scaling, trainee.fit_model(compute), data, hooks, run);
}

void add_figures(const nn::FitReport& fitted, const Plan& planned, Report& report) {
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
  report.peak_tensor_bytes = nn::peak_tensor_bytes();
  report.tokens_per_second = fitted.tokens_per_second;
}

}  // namespace

Report run(const Config& config, const nn::FitHooks& hooks, Run& run) {
  nn::count_tensor_bytes();
  nn::keep_freed_memory();
  nn::use_threads(run.threads());
  // Of processes that a launcher started, of which the settings know nothing.
  if (run.peers().size > 1 && config.grad_accum_dtype == nn::GradientDtype::bf16)
    fail(ErrorKind::config, "train.grad_accum_dtype", "bf16 is for one process",
         "leave it out: several sum gradients in fp32");
  Prepared prepared = prepare_together(config, run);
  Report report;
  report.precision =
      nn::resolve_precision(config.precision, nn::has_fp16_units(), nn::has_bf16_units());
  const nn::Precision compute = report.precision.compute;
  if (compute != config.precision)
    run.log(LogLevel::info,
            "precision " + std::string(name_of(compute)) + ": " + report.precision.reason);
  const Plan planned = plan(config, prepared.model, compute, prepared.order.sequences_per_epoch(),
                            hooks.memory, run.peers().size);
  require_memory(planned, run.peers().local_size);
  require_all_ready(false, run);

  Trainee trainee(config, prepared.model, compute, run);
  const LanguageModel model = llm::language_model(trainee.decoder(), prepared.tokenizer);
  const bool first = run.peers().rank == 0;
  std::vector<std::string> before;
  if (first) before = make_samples(config, model, run);
  require_all_ready(run.stop_requested(), run);
  const nn::FitReport fitted = fit(config, prepared, trainee, compute, hooks, run);
  if (!first) return report;
  run.write_folder("model", [&](const std::filesystem::path& folder) {
    save_trained(folder, config, *trainee.decoder(), *prepared.tokenizer, prepared.chat_template);
  });
  add_figures(fitted, planned, report);
  if (fitted.val_loss && prepared.validation.bytes_per_label > 0)
    report.val_bits_per_byte =
        *fitted.val_loss / prepared.validation.bytes_per_label / std::log(2.0);
  // Nothing but these is left, so a stop does not undo the run.
  const std::vector<std::string> after = make_samples(config, model, run);
  if (run.stop_requested() && !after.empty())
    run.log(LogLevel::warning, "asked to stop: the samples after training were cut short");
  for (std::size_t i = 0; i < before.size(); ++i)
    report.samples.push_back({config.samples.prompts[i], std::move(before[i]), after[i]});
  report.max_expert_load = trainee.max_expert_load();
  report.model = "model";
  return report;
}

}  // namespace cupel::train

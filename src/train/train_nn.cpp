#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "nn/distributed_fit_nn.h"
#include "nn/llm/adapter_nn.h"
#include "nn/llm/generate_nn.h"
#include "nn/llm/load_weights_nn.h"
#include "nn/llm/model_files.h"
#include "train/classify.h"
#include "train/dataset.h"
#include "train/plan.h"
#include "train/save_nn.h"
#include "train/session_nn.h"
#include "train/train.h"
#include "train/validation.h"

namespace cupel::train {
namespace {

/// More routed experts than this, and only the busiest is reported.
constexpr int64_t kExpertsReported = 32;

nn::Batch to_batch(const SequenceBatch& sequences) {
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

/// The model of a run and how its loss is taken.
class Trainee {
 public:
  Trainee(const Config& config, const llm::ModelConfig& model, nn::Precision compute,
          at::Device device, Run& run)
      : config_(config),
        decoder_(std::make_shared<llm::Decoder>(model)),
        device_(device),
        run_(run) {
    if (config.base_model.empty()) {
      decoder_->initialise(run);
    } else {
      llm::record_model(config.base_model.text, run);
      llm::load_weights(config.base_model.text, *decoder_);
    }
    if (adapts()) {
      llm::add_adapters(*decoder_, config.adapter_config(), run, "train.lora_target_modules");
      if (storage_of(compute) != at::kFloat) llm::narrow_frozen(*decoder_, storage_of(compute));
    }
    decoder_->to(device_);
  }

  nn::Batch batch_of(const SequenceBatch& sequences) const {
    return nn::on_device(to_batch(sequences), device_);
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
    std::vector<double> losses(validation.batches());
    double labels = 0;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      const SequenceBatch batch = validation.batch(i);
      labels += static_cast<double>(batch.labels_counted);
      if (static_cast<int64_t>(i) % ensemble.size() != ensemble.rank()) continue;
      if (run_.stop_requested()) break;
      losses[i] = decoder_->loss(batch_of(batch), options).item<double>();
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
  at::Device device_;
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

/// What is made of a recipe before the loop begins.
struct Prepared {
  std::shared_ptr<const Tokenizer> tokenizer;
  std::optional<ChatTemplate> chat_template;
  llm::ModelConfig model;
  Validation validation;
  SequenceOrder order;
};

Prepared prepare(const Config& config, const std::filesystem::path& beside, Run& run) {
  const std::vector<TextSet> sets = text_sets(config, run);
  const TokenStore store(config, run, beside);
  auto tokenizer = std::make_shared<const Tokenizer>(make_tokenizer(config, sets, store, run));
  Dataset dataset = tokenize(config, sets, *tokenizer, store, run);
  llm::ModelConfig model = resolve_model(config, tokenizer->vocab_size());
  Validation validation = make_validation(config, std::move(dataset.validation), *tokenizer);
  if (dataset.chat_template)
    run.set_manifest("chat_template_sha256", dataset.chat_template->hash());
  return {std::move(tokenizer), std::move(dataset.chat_template), std::move(model),
          std::move(validation), SequenceOrder(std::move(dataset.train), config.sequence_len, run)};
}

/// The first process tokenizes; the others find what it has kept, where they can see its folder.
Prepared prepare_in_turn(const Config& config, Run& run) {
  std::filesystem::path beside;
  if (run.has_folder()) beside = std::filesystem::absolute(run.folder()) / kTokensFolder;
  beside = nn::Ensemble(run).from_first(beside.string(), "the first one's tokens");
  const bool first = run.peers().rank == 0;
  if (!first) require_all_ready(false, run);
  std::optional<Prepared> prepared;
  try {
    prepared.emplace(prepare(config, beside, run));
  } catch (const Interrupted&) {
  }
  if (first) require_all_ready(!prepared, run);
  require_all_ready(!prepared, run);
  return std::move(*prepared);
}

nn::FitReport fit(const Config& config, Prepared& prepared, Trainee& trainee, nn::Precision compute,
                  const Place& place, const nn::FitHooks& hooks, Run& run) {
  const at::ScalarType storage = storage_of(compute);
  nn::FitData data;
  data.micro_batches_per_epoch =
      std::max<int64_t>(1, prepared.order.sequences_per_epoch() / config.micro_batch_size);
  data.micro_batch = [&](int64_t index) {
    return trainee.batch_of(
        prepared.order.batch(index * config.micro_batch_size, config.micro_batch_size));
  };
  if (prepared.validation.batches() > 0)
    data.validate = [&] { return trainee.validation_loss(prepared.validation, storage); };
  return run_loop(config, compute, place, trainee.fit_model(compute), data, hooks, run);
}

}  // namespace

Report run(const Config& config, const nn::FitHooks& hooks, Run& run) {
  if (config.task == Task::classify) return run_classify(config, hooks, run);
  begin_process(config, run);
  Prepared prepared = prepare_in_turn(config, run);
  Report report;
  const Place place(config, run);
  report.precision = choose_precision(config, place, run);
  const nn::Precision compute = report.precision.compute;
  const Plan planned = plan(config, prepared.model, compute, prepared.order.sequences_per_epoch(),
                            hooks.memory, run.peers().size);
  require_memory(planned, place, run.peers().local_size);
  require_all_ready(false, run);

  Trainee trainee(config, prepared.model, compute, place.device(), run);
  const LanguageModel model =
      llm::language_model(llm::token_model(trainee.decoder()), prepared.tokenizer);
  const bool first = run.peers().rank == 0;
  std::vector<std::string> before;
  if (first) before = make_samples(config, model, run);
  require_all_ready(run.stop_requested(), run);
  const nn::FitReport fitted = fit(config, prepared, trainee, compute, place, hooks, run);
  if (!first) return report;
  add_figures(fitted, planned, place, report);
  trainee.decoder()->to(at::kCPU);
  run.write_folder("model", [&](const std::filesystem::path& folder) {
    save_trained(folder, config, *trainee.decoder(), *prepared.tokenizer, prepared.chat_template);
  });
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
  run.remove(kTokensFolder);
  return report;
}

}  // namespace cupel::train

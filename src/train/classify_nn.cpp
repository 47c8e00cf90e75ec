#include <algorithm>
#include <numeric>

#include "base/confusion.h"
#include "base/error.h"
#include "nn/classifier_files_nn.h"
#include "nn/distributed_fit_nn.h"
#include "train/classify.h"
#include "train/classify_rows.h"
#include "train/session_nn.h"

namespace cupel::train {
namespace {

using Rows = std::vector<const nn::ClassifiedRow*>;

/// Rows of about the same length together.
std::vector<Rows> validation_batches(const std::vector<nn::ClassifiedRow>& rows, int64_t a_batch) {
  Rows order;
  for (const nn::ClassifiedRow& row : rows) order.push_back(&row);
  std::ranges::stable_sort(order, std::greater(),
                           [](const nn::ClassifiedRow* row) { return row->ids.size(); });
  std::vector<Rows> batches;
  const auto most = static_cast<std::size_t>(a_batch);
  for (std::size_t i = 0; i < order.size(); i += most)
    batches.emplace_back(
        order.begin() + static_cast<std::ptrdiff_t>(i),
        order.begin() + static_cast<std::ptrdiff_t>(std::min(order.size(), i + most)));
  return batches;
}

/// The classifier of a run and how its loss is taken.
class ClassifierTrainee {
 public:
  ClassifierTrainee(const Config& config, const ClassifyData& prepared, nn::Precision compute,
                    Run& run)
      : config_(config), run_(run), classifier_(prepared.model) {
    options_.storage = storage_of(compute);
    classifier_.initialise(run);
    batches_ = validation_batches(prepared.rows->validation, config.micro_batch_size);
    if (config.base_model.empty()) return;
    run.record_input(config.base_model.text);
    for (const std::string& part :
         nn::load_classifier_weights(config.base_model.text, classifier_, prepared.with_head)) {
      run.log(LogLevel::info, "base_model has no " + part + " for " +
                                  std::to_string(prepared.model.labels.size()) +
                                  " such classes: a new one begins at random");
    }
  }

  const nn::BertClassifier& classifier() const { return classifier_; }
  bool validates() const { return !batches_.empty(); }

  nn::FitModel fit_model(nn::Precision compute) {
    training_ = options_;
    training_.dropout = config_.dropout;
    training_.recompute = config_.gradient_checkpointing;
    nn::FitModel model;
    model.module = &classifier_;
    model.compute = compute;
    model.loss = [this](const nn::Batch& batch) { return classifier_.loss(batch, training_); };
    model.embed = [this](const nn::Batch& batch) { return classifier_.embed(batch); };
    model.begin_micro_batch = [this](int64_t index) {
      training_.dropout_key = run_.stream("dropout", static_cast<uint64_t>(index)).next_u64() >> 16;
    };
    model.log_validation = [this](Run& run, int64_t step) {
      run.metric("val_accuracy", step, accuracy_);
      run.metric("val_f1", step, f1_);
    };
    model.state = [this] { return json::Object{{"val_accuracy", accuracy_}, {"val_f1", f1_}}; };
    model.restore = [this](const json::Value& state) {
      accuracy_ = state.at("val_accuracy", "model").as_double("val_accuracy");
      f1_ = state.at("val_f1", "model").as_double("val_f1");
    };
    return model;
  }

  /// Batches are dealt out to the processes of the run, and what they found is put together in
  /// order, so that the loss has the bits that one process gives it.
  double validate() {
    at::NoGradGuard no_grad;
    nn::Ensemble ensemble(run_);
    // A loss a batch, then an answer a row.
    std::vector<double> found(batches_.size());
    std::vector<int64_t> expected;
    for (std::size_t i = 0; i < batches_.size(); ++i) {
      for (const nn::ClassifiedRow* row : batches_[i]) expected.push_back(row->label);
      const bool mine = static_cast<int64_t>(i) % ensemble.size() == ensemble.rank();
      if (mine && !run_.stop_requested()) {
        weigh(i, found);
      } else {
        found.resize(found.size() + batches_[i].size());
      }
    }
    ensemble.sum(found, "the validation losses");
    if (ensemble.wants_stop()) throw Interrupted();
    Confusion confusion(classifier_.config().labels.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      confusion.add(expected[i], static_cast<int64_t>(found[batches_.size() + i]));
    accuracy_ = confusion.accuracy();
    f1_ = confusion.macro_f1();
    const auto losses = found.begin() + static_cast<std::ptrdiff_t>(batches_.size());
    return std::accumulate(found.begin(), losses, 0.0) / static_cast<double>(expected.size());
  }

  double accuracy() const { return accuracy_; }
  double f1() const { return f1_; }

 private:
  void weigh(std::size_t index, std::vector<double>& found) {
    const nn::Batch batch = nn::labelled_batch(batches_[index], classifier_.config().pad_token_id);
    const at::Tensor logits = classifier_.logits(batch, options_);
    found[index] =
        at::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::Sum).item<double>();
    const at::Tensor answers = logits.argmax(1);
    for (int64_t i = 0; i < answers.size(0); ++i)
      found.push_back(static_cast<double>(answers[i].item<int64_t>()));
  }

  const Config& config_;
  Run& run_;
  nn::BertClassifier classifier_;
  nn::BertOptions options_, training_;
  std::vector<Rows> batches_;  // of the validation rows
  double accuracy_ = 0, f1_ = 0;
};

/// Of all micro-batches, padding among them.
int64_t tokens_of_run(int64_t micro_batches, nn::RowOrder& order) {
  int64_t tokens = 0;
  for (int64_t i = 0; i < micro_batches; ++i) {
    const Rows rows = order.batch(i);
    tokens += static_cast<int64_t>(rows.size()) * nn::padded_length(rows);
  }
  return tokens;
}

}  // namespace

Report run_classify(const Config& config, const nn::FitHooks& hooks, Run& run) {
  begin_process(config, run);
  ClassifyData prepared = prepare_together([&] { return read_classify(config, run); }, run);
  Report report;
  const Place place(config, run);
  report.precision = choose_precision(config, place, run);
  const nn::Precision compute = report.precision.compute;
  nn::RowOrder& order = *prepared.order;
  const Plan planned = plan_classifier(config, prepared.model, compute, order.sizes(), hooks.memory,
                                       run.peers().size);
  require_memory(planned, place, run.peers().local_size);
  require_all_ready(false, run);

  ClassifierTrainee trainee(config, prepared, compute, run);
  require_all_ready(run.stop_requested(), run);
  nn::FitData data;
  data.micro_batches_per_epoch = order.batches_per_epoch();
  data.micro_batch = [&](int64_t index) {
    return nn::labelled_batch(order.batch(index), prepared.model.pad_token_id);
  };
  if (trainee.validates()) data.validate = [&] { return trainee.validate(); };
  const nn::FitReport fitted =
      run_loop(config, compute, place, trainee.fit_model(compute), data, hooks, run);
  if (run.peers().rank != 0) return report;
  run.write_folder("model", [&](const std::filesystem::path& folder) {
    nn::save_classifier(folder, trainee.classifier(), config.dropout);
    prepared.tokenizer.save(folder);
  });
  add_figures(fitted, planned, place, report);
  report.tokens =
      tokens_of_run(fitted.steps * nn::micro_batches_a_step(config, run.peers().size), order);
  if (trainee.validates()) {
    report.val_accuracy = trainee.accuracy();
    report.val_f1 = trainee.f1();
  }
  report.model = "model";
  return report;
}

}  // namespace cupel::train

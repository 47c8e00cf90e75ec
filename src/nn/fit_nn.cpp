#include <chrono>
#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"
#include "nn/batch_nn.h"
#include "nn/checkpoint.h"
#include "nn/checkpoint_nn.h"
#include "nn/distributed_fit_nn.h"
#include "nn/fit.h"
#include "nn/loss_scale.h"
#include "nn/optimizer_nn.h"
#include "nn/resume_checks.h"
#include "nn/schedule.h"
#include "nn/step_clock.h"
#include "nn/watchdog.h"

namespace cupel::nn {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

/// Ids that are read; of features, rows.
int64_t tokens_of(const Batch& batch) {
  const bool ids = at::isIntegralType(batch.inputs.scalar_type(), /*includeBool=*/false);
  return ids ? batch.inputs.numel() : batch.labels.numel();
}

std::vector<at::Tensor> values_of(std::vector<OptimizedParameter>& parameters) {
  std::vector<at::Tensor> values;
  for (const OptimizedParameter& each : parameters) values.push_back(each.value);
  return values;
}

/// One training run: the loop and everything it must save to go on to the bit.
class Loop {
 public:
  Loop(const FitConfig& config, const std::optional<LossScaleConfig>& scaling,
       const FitModel& model, const FitData& data, const FitHooks& hooks, Run& run)
      : config_(config),
        model_(model),
        data_(data),
        run_(run),
        ensemble_(run),
        optimizer_(*model.module, config),
        watchdog_(config),
        total_steps_(total_steps(config, data.micro_batches_per_epoch, run.peers().size)) {
    if (scaling) scaler_.emplace(*scaling);
    loss_ = model.loss;
    if (hooks.batch) {
      loss_ = [this, hook = hooks.batch](const Batch& batch) {
        Batch changed = batch;
        embed(changed);
        return hook(changed, model_.loss);
      };
    }
    gradient_ = hooks.gradient;
    has_gradient_hook_ = static_cast<bool>(gradient_.accumulate);
    if (!has_gradient_hook_) {
      gradient_.accumulate = [](Batch& batch, const LossFunction& loss, double factor, bool) {
        const at::Tensor sum = loss(batch);
        (sum * factor).backward();
        return sum.detach();
      };
    }
    gradient_ = ensemble_.share_gradients(values_of(optimizer_.parameters()), std::move(gradient_),
                                          !has_gradient_hook_);
  }

  FitReport run() {
    share_tensors();
    if (ensemble_.of_first(run_.resuming(), "whether the run resumes")) resume();
    while (step_ < total_steps_) {
      train_step();
      ++step_;
      if (step_ % config_.logging_steps == 0 || step_ == total_steps_) log_metrics();
      if (watchdog_.wants_rollback()) {
        roll_back();
      } else {
        const bool due = config_.eval_steps > 0 && step_ % config_.eval_steps == 0;
        if (data_.validate && (due || step_ == total_steps_)) validate();
        if (wants_save()) save();
      }
      if (ensemble_.wants_stop() && step_ < total_steps_) stop();
    }
    if (watchdog_.diverging())
      run_.log(LogLevel::warning, "the loss diverged in the last steps of the run");
    // Nothing to do, unless the run was killed after its last save.
    if (run_.has_folder()) delete_old_checkpoints(run_, step_, config_.save_total_limit);
    return report();
  }

 private:
  void train_step() {
    const auto begin = Clock::now();
    std::vector<Batch> batches;
    std::vector<double> counts(2);  // labels, tokens
    for (int64_t i = 0; i < config_.gradient_accumulation_steps; ++i) {
      batches.push_back(data_.micro_batch(micro_batch_index(i)));
      counts[0] += batches.back().weight;
      counts[1] += static_cast<double>(tokens_of(batches.back()));
    }
    ensemble_.sum(counts, "the labels of step " + std::to_string(step_ + 1));
    std::string note = "no labels";  // then nothing is learned, and there is no mean to take
    if (counts[0] > 0) note = "loss " + std::to_string(learn(batches, counts[0]));
    clock_.add(milliseconds_since(begin), static_cast<int64_t>(counts[1]));
    run_.progress(step_ + 1, total_steps_, note);
  }

  /// One update of the parameters; the mean loss a label before it.
  double learn(std::vector<Batch>& batches, double labels) {
    const double loss = accumulate_gradients(batches, labels);
    const double norm = std::sqrt(optimizer_.gradient_sum_of_squares());
    apply_gradients(norm);
    watchdog_.observe(loss, scaler_.has_value() || std::isfinite(norm));
    if (std::isfinite(loss)) {
      loss_sum_ += loss * labels;
      loss_labels_ += labels;
    }
    labels_ += labels;
    return loss;
  }

  /// Of this process's micro-batch `i` of the step: they are dealt out in turn.
  int64_t micro_batch_index(int64_t i) const {
    return (step_ + skipped_batches_) * micro_batches_a_step(config_, ensemble_.size()) +
           i * ensemble_.size() + ensemble_.rank();
  }

  /// For a hook, which may move what the inputs are read as.
  void embed(Batch& batch) const {
    if (model_.embed && !batch.embeddings.defined()) batch.embeddings = model_.embed(batch);
  }

  /// Mean loss a label of the step; leaves d(scale * mean loss)/dp in every grad.
  double accumulate_gradients(std::vector<Batch>& batches, double labels) {
    optimizer_.zero_grad();
    if (model_.begin_step) model_.begin_step();
    const double factor = (scaler_ ? scaler_->scale() : 1.0) / labels;
    at::Tensor sum;
    for (std::size_t i = 0; i < batches.size(); ++i) {
      batches[i].index = micro_batch_index(static_cast<int64_t>(i));
      if (model_.begin_micro_batch) model_.begin_micro_batch(batches[i].index);
      if (has_gradient_hook_) embed(batches[i]);
      const bool last = i + 1 == batches.size();
      const at::Tensor part = gradient_.accumulate(batches[i], loss_, factor, last);
      sum = sum.defined() ? sum + part : part;
    }
    if (gradient_.finish_step) gradient_.finish_step();
    return sum_of_step(sum.item<double>()) / labels;
  }

  /// `loss` and the model's own sums, over all processes.
  double sum_of_step(double loss) {
    std::vector<double> sums;
    if (model_.sums) sums = model_.sums();
    sums.push_back(loss);
    ensemble_.sum(sums, "the loss of step " + std::to_string(step_ + 1));
    loss = sums.back();
    sums.pop_back();
    if (model_.take_sums) model_.take_sums(sums);
    return loss;
  }

  /// Unscale, check, clip, update: all but the check in AdamW's own pass over the gradients.
  void apply_gradients(double scaled_norm) {
    const bool finite = std::isfinite(scaled_norm);
    const double inverse = scaler_ ? static_cast<double>(scaler_->inverse_scale()) : 1.0;
    const double norm = scaled_norm * inverse;
    const bool skipped = scaler_ ? scaler_->update(finite) == StepOutcome::skipped : !finite;
    if (skipped) {
      ++skipped_steps_;
      return;
    }
    const double clip =
        config_.max_grad_norm > 0 ? std::min(1.0, config_.max_grad_norm / (norm + 1e-6)) : 1.0;
    grad_norm_ = norm;
    optimizer_.step(learning_rate(config_, step_, total_steps_),
                    static_cast<float>(inverse * clip));
    if (model_.end_step) model_.end_step();
  }

  void log_metrics() {
    report_.train_loss =
        loss_labels_ > 0 ? loss_sum_ / loss_labels_ : std::numeric_limits<double>::quiet_NaN();
    run_.metric("loss", step_, report_.train_loss);
    run_.metric("learning_rate", step_, learning_rate(config_, step_ - 1, total_steps_));
    run_.metric("grad_norm", step_, grad_norm_);
    if (scaler_) {
      run_.metric("loss_scale", step_, static_cast<double>(scaler_->scale()));
      run_.metric("overflows", step_, static_cast<double>(scaler_->overflows()));
    }
    if (model_.log_metrics) model_.log_metrics(run_, step_);
    clock_.log(run_, step_);
    loss_sum_ = loss_labels_ = 0;
  }

  /// A checkpoint from amid a divergence would be no place to go back to.
  bool wants_save() const {
    if (config_.save_steps == 0 || watchdog_.diverging()) return false;
    return step_ == total_steps_ || step_ % config_.save_steps == 0;
  }

  /// Saves and throws Interrupted. Amid a divergence the last good checkpoint serves better than a
  /// new one, if there is any.
  [[noreturn]] void stop() {
    const auto last =
        watchdog_.diverging() && run_.has_folder() ? newest_intact_checkpoint(run_) : std::nullopt;
    if (last) {
      run_.log(LogLevel::warning, "stopped while the loss diverges: step " + std::to_string(step_) +
                                      " is not saved, a resumed run goes on from " +
                                      last->path.filename().string());
    } else {
      save();
    }
    throw Interrupted();
  }

  /// A stop amid it saves a checkpoint that says it is still to be done.
  void validate() {
    validation_due_ = true;
    try {
      report_.val_loss = data_.validate();
    } catch (const Interrupted&) {
      stop();
    }
    validation_due_ = false;
    run_.metric("val_loss", step_, *report_.val_loss);
    if (model_.log_validation) model_.log_validation(run_, step_);
  }

  void save() {
    if (saved_step_ == step_ || !run_.has_folder()) return;
    auto section = run_.section("checkpoint");
    json::Value state = json::Object{{"step", step_},
                                     {"optimizer_steps", optimizer_.steps()},
                                     {"labels", labels_},
                                     {"loss_sum", loss_sum_},
                                     {"loss_labels", loss_labels_},
                                     {"grad_norm", grad_norm_},
                                     {"skipped_steps", skipped_steps_},
                                     {"skipped_batches", skipped_batches_},
                                     {"metrics_bytes", run_.sync_metrics()},
                                     {"watchdog", watchdog_.state()}};
    for (const auto& [key, value] : arithmetic_of(run_, model_.compute)) state.set(key, value);
    if (std::isfinite(report_.train_loss)) state.set("train_loss", report_.train_loss);
    if (report_.val_loss && std::isfinite(*report_.val_loss))
      state.set("val_loss", *report_.val_loss);
    if (validation_due_) state.set("validation_due", true);
    if (model_.state) state.set("model", model_.state());
    if (scaler_) state.set("loss_scale", scaler_->state());
    save_checkpoint(run_, step_, *model_.module, optimizer_, state);
    delete_old_checkpoints(run_, step_, config_.save_total_limit);
    saved_step_ = step_;
  }

  /// Rank 0's weights and moments, on every process.
  void share_tensors() {
    ensemble_.share(checkpoint_tensors(*model_.module, optimizer_), "the weights");
  }

  /// Rank 0 alone reads the run's folder.
  std::optional<std::filesystem::path> newest_checkpoint() {
    std::optional<CheckpointFolder> found;
    if (run_.has_folder()) found = newest_intact_checkpoint(run_);
    const std::filesystem::path path = ensemble_.from_first(found ? found->path.string() : "",
                                                            "the name of the newest checkpoint");
    return path.empty() ? std::nullopt : std::optional(path);
  }

  void resume() {
    if (const auto checkpoint = newest_checkpoint()) {
      restore(*checkpoint);
      report_.resumed_from = step_;
      if (validation_due_) make_up_validation();
    } else if (run_.has_folder()) {
      delete_newer_checkpoints(run_, 0);
      run_.cut_metrics(0);
    }
  }

  /// Of a checkpoint that was saved amid it.
  void make_up_validation() {
    validate();
    saved_step_ = -1;  // that checkpoint says it is still to be done
    if (wants_save()) save();
  }

  void restore(const std::filesystem::path& folder) {
    const std::string where = (folder / "state.json").string();
    const json::Value state = load(folder, where);
    const auto number = [&](std::string_view key) { return state.at(key, where).as_double(where); };
    const auto integer = [&](std::string_view key) { return state.at(key, where).as_int(where); };
    step_ = saved_step_ = integer("step");
    optimizer_.set_steps(integer("optimizer_steps"));
    labels_ = number("labels");
    loss_sum_ = number("loss_sum");
    loss_labels_ = number("loss_labels");
    report_.train_loss = state.find("train_loss") != nullptr
                             ? number("train_loss")
                             : std::numeric_limits<double>::quiet_NaN();
    grad_norm_ = number("grad_norm");
    skipped_steps_ = integer("skipped_steps");
    skipped_batches_ = integer("skipped_batches");
    watchdog_.restore(state.at("watchdog", where));
    if (state.find("val_loss") != nullptr) report_.val_loss = number("val_loss");
    validation_due_ = state.find("validation_due") != nullptr;
    if (scaler_) scaler_->restore(state.at("loss_scale", where));
    if (model_.restore) model_.restore(state.at("model", where));
    if (!run_.has_folder()) return;
    delete_newer_checkpoints(run_, step_);
    run_.cut_metrics(integer("metrics_bytes"));
  }

  /// Into module and optimizer; the state.
  json::Value load(const std::filesystem::path& folder, const std::string& where) {
    json::Value state;
    if (run_.has_folder()) {
      state = load_checkpoint(folder, *model_.module, optimizer_);
      check_arithmetic(state, where, model_.compute, run_);
    }
    share_tensors();
    const std::string text = ensemble_.from_first(json::dump(state), "the checkpoint's state");
    return json::parse(text, where);
  }

  /// Back to the last checkpoint, past the batches that led here, and past those that led to any
  /// return before.
  void roll_back() {
    const auto checkpoint = newest_checkpoint();
    const int64_t bad_step = step_, next_batch = step_ + skipped_batches_;
    const Watchdog watchdog = watchdog_;
    if (!checkpoint || !watchdog_.may_roll_back()) watchdog_.give_up(step_, checkpoint.has_value());
    restore(*checkpoint);
    watchdog_ = watchdog;
    watchdog_.rolled_back();
    skipped_batches_ = next_batch - step_;
    run_.log(LogLevel::warning, "the loss diverged at step " + std::to_string(bad_step) +
                                    "; going on from " + checkpoint->filename().string() +
                                    ", past the batches that led there");
    if (validation_due_) make_up_validation();
  }

  FitReport report() {
    report_.steps = step_;
    report_.labels = labels_;
    clock_.report(report_);
    if (scaler_) {
      report_.loss_scale = LossScaleReport{static_cast<double>(scaler_->scale()),
                                           scaler_->overflows(), skipped_steps_};
    }
    return report_;
  }

  const FitConfig& config_;
  const FitModel& model_;
  const FitData& data_;
  Run& run_;
  Ensemble ensemble_;
  LossFunction loss_;
  GradientHook gradient_;
  bool has_gradient_hook_ = false;
  AdamW optimizer_;
  std::optional<LossScaler> scaler_;
  Watchdog watchdog_;
  const int64_t total_steps_;
  int64_t step_ = 0;
  int64_t saved_step_ = -1;
  int64_t skipped_steps_ = 0;    // overflowed
  int64_t skipped_batches_ = 0;  // steps' worth of data passed over by rollbacks
  double labels_ = 0;
  double loss_sum_ = 0, loss_labels_ = 0;  // since the last log
  double grad_norm_ = 0;
  bool validation_due_ = false;  // of this step
  StepClock clock_;
  FitReport report_;
};

}  // namespace

FitReport fit(const FitConfig& config, const std::optional<LossScaleConfig>& scaling,
              const FitModel& model, const FitData& data, const FitHooks& hooks, Run& run) {
  return Loop(config, scaling, model, data, hooks, run).run();
}

}  // namespace cupel::nn

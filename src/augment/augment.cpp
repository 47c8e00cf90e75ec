#include "augment/augment.h"

#include <algorithm>
#include <atomic>

#include "augment/fit.h"
#include "augment/load.h"
#include "augment/metrics.h"
#include "augment/output.h"
#include "base/error.h"
#include "base/stats.h"

namespace cupel::augment {
namespace {

using Range = std::array<double, 2>;

/// One network of an arm, trained and measured.
struct Trial {
  std::optional<Fitted> fitted;
  Scores scores;
};

/// Networks trained in one way, one a random seed.
struct Arm {
  std::string name;
  std::optional<AdversarialAugmentation> how;
  std::vector<Trial> trials;
};

std::vector<double> values_of(const Arm& arm, double Scores::*figure) {
  std::vector<double> out;
  for (const Trial& trial : arm.trials) out.push_back(trial.scores.*figure);
  return out;
}

Range range(const Interval& interval) { return {interval.low, interval.high}; }

Scored summary(const Arm& arm) {
  Scored out;
  const auto fill = [&](double Scores::*figure, double& value, Range* interval) {
    const std::vector<double> values = values_of(arm, figure);
    value = mean(values);
    if (interval != nullptr) *interval = range(t_interval(values));
  };
  fill(&Scores::clean_f1, out.clean_f1, &out.clean_f1_interval);
  fill(&Scores::robust_f1, out.robust_f1, &out.robust_f1_interval);
  fill(&Scores::ap, out.ap, &out.ap_interval);
  fill(&Scores::evasion_f1, out.evasion_f1, nullptr);
  fill(&Scores::noise_f1, out.noise_f1, nullptr);
  for (const Trial& trial : arm.trials)
    for (const auto& [group, recall] : trial.scores.recall)
      out.recall[group] += recall / static_cast<double>(arm.trials.size());
  return out;
}

Gain gain_of(const Arm& arm, const Arm& baseline) {
  const auto robust = values_of(baseline, &Scores::robust_f1);
  const PairedDifference by = paired_difference(values_of(arm, &Scores::robust_f1), robust);
  const PairedDifference clean =
      paired_difference(values_of(arm, &Scores::clean_f1), values_of(baseline, &Scores::clean_f1));
  const double whole = mean(robust);
  Gain out;
  out.robust_f1_delta = by.mean;
  out.robust_f1_delta_interval = range(by.interval);
  out.clean_f1_delta = clean.mean;
  out.clean_f1_delta_interval = range(clean.interval);
  if (whole == 0) return out;  // no share of nothing
  out.robust_f1_relative = by.mean / whole;
  out.robust_f1_relative_interval = {by.interval.low / whole, by.interval.high / whole};
  return out;
}

/// All networks of all arms, as many at once as there are threads.
void train(std::vector<Arm>& arms, const Config& config, const Perturber& perturber,
           const Dataset& data, Run& run) {
  const auto seeds = static_cast<std::size_t>(config.seeds);
  const FitConfig fit_config{.hidden = config.model.hidden,
                             .epochs = config.model.epochs,
                             .batch_size = config.model.batch_size,
                             .learning_rate = config.model.learning_rate,
                             .weight_decay = config.model.weight_decay};
  const AdversarialAugmentation measured{.epsilon = config.epsilon, .noise = config.noise};
  const auto total = static_cast<int64_t>(arms.size() * seeds);
  std::atomic<int64_t> done = 0;
  for (Arm& arm : arms) arm.trials.resize(seeds);
  const auto poll = [&] { run.stop_if_asked(); };
  run.pool().parallel_for(total, 1, [&](int64_t at, int64_t) {
    poll();
    Arm& arm = arms[static_cast<std::size_t>(at) % arms.size()];
    const std::size_t index = static_cast<std::size_t>(at) / arms.size();
    const uint64_t seed = run.stream("augment seed", index).next_u64();
    Trial& trial = arm.trials[index];
    trial.fitted = fit(fit_config, arm.how, perturber, data, seed, poll);
    trial.scores = evaluate(trial.fitted->network, trial.fitted->threshold, perturber, measured,
                            data.test, seed, run.pool());
    run.progress(++done, total, arm.name);
  });
  for (const Arm& arm : arms) {
    for (std::size_t i = 0; i < seeds; ++i) {
      const auto step = static_cast<int64_t>(i);
      run.metric(arm.name + "_clean_f1", step, arm.trials[i].scores.clean_f1);
      run.metric(arm.name + "_robust_f1", step, arm.trials[i].scores.robust_f1);
    }
  }
}

int64_t warn_of_collapses(const Arm& arm, Run& run) {
  int64_t collapsed = 0;
  for (std::size_t i = 0; i < arm.trials.size(); ++i) {
    if (!has_collapsed(arm.trials[i].fitted->probes)) continue;
    ++collapsed;
    run.log(LogLevel::warning,
            "random seed " + std::to_string(i) +
                ": catastrophic overfitting, the network resists one step and not ten; take "
                "method: pgd, or a smaller epsilon");
  }
  return collapsed;
}

Counts count_rows(const Dataset& data) {
  return {data.train.size(), data.validation.size(), data.test.size()};
}

Counts count_positives(const Dataset& data) {
  return {data.train.count_positives(), data.validation.count_positives(),
          data.test.count_positives()};
}

}  // namespace

std::vector<std::string> SplitConfig::problems() const {
  std::vector<std::string> problems;
  if (time.empty() && (validation_from || test_from))
    problems.push_back("validation_from and test_from need time, the column they are values of");
  if (!time.empty() && !(validation_from && test_from))
    problems.push_back("time needs validation_from and test_from");
  if (validation_from && test_from && *validation_from >= *test_from)
    problems.push_back("test_from must lie after validation_from");
  if (time.empty() && validation + test >= 1)
    problems.push_back("validation and test leave no rows to train on");
  return problems;
}

std::vector<std::string> ModelConfig::problems() const {
  if (hidden.empty()) return {"hidden: at least one layer is needed"};
  return {};
}

std::vector<std::string> Config::problems() const {
  std::vector<std::string> problems;
  if (input.empty() && !simulate) problems.push_back("give input (a table), or simulate: {}");
  if (!input.empty() && simulate) problems.push_back("give input or simulate, not both");
  if (!input.empty() && label.empty()) problems.push_back("label: missing; name a column");
  const bool columns = !label.empty() || !group.empty() || !split.time.empty() ||
                       !exclude.empty() || !immutable.empty() || !integer.empty();
  if (simulate && columns)
    problems.push_back("simulate knows its own columns; leave out those that are named");
  return problems;
}

Report run(const Config& config, Run& run) {
  Report report;
  const int64_t rejected_before = run.rejected();
  const Dataset data = load(config, run);
  report.rejected = run.rejected() - rejected_before;
  report.rows = count_rows(data);
  report.positives = count_positives(data);

  const Perturber perturber(data.features, {.epsilon = config.epsilon, .relative = config.relative},
                            data.train.width);
  const AdversarialAugmentation how{.epsilon = config.epsilon,
                                    .method = config.method,
                                    .steps = config.steps,
                                    .noise = config.noise};
  AdversarialAugmentation noise = how;
  noise.method = Method::noise;
  std::vector<Arm> arms{{"baseline", std::nullopt, {}}, {"augmented", how, {}}};
  if (how.method != Method::noise) arms.push_back({"noise", noise, {}});
  {
    const auto section = run.section("train");
    train(arms, config, perturber, data, run);
  }
  const Arm &baseline = arms[0], &augmented = arms[1], &noisy = arms.back();
  report.baseline = summary(baseline);
  report.augmented = summary(augmented);
  report.noise = summary(noisy);
  report.gain = gain_of(augmented, baseline);
  report.noise_gain = gain_of(noisy, baseline);
  report.collapsed = warn_of_collapses(augmented, run);
  if (!run.has_folder()) return report;
  write_model(*augmented.trials[0].fitted, data.features, run);
  report.model = "model";
  if (!config.write_rows) return report;
  write_rows(*augmented.trials[0].fitted, how, perturber, data.train, run);
  report.augmented_rows = "augmented.csv";
  return report;
}

}  // namespace cupel::augment

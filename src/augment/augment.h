// `augment`: rows of a table moved against a network as it learns, so that small changes of a value
// no longer hide a fraud; what that wins, over random seeds.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "augment/attack.h"
#include "base/config.h"
#include "base/run.h"

namespace cupel::augment {

/// A table of the simulator of data/card_transactions.h: 40 days of history, then these.
struct SimulateConfig {
  int64_t training_days = 14, validation_days = 7, test_days = 7;
  int64_t customers = 5000, terminals = 10000;
  double radius = 5;
  static constexpr std::string_view kShorthand = "training_days";
  static constexpr auto fields() {
    using C = SimulateConfig;
    return std::tuple{
        Field{"training_days", &C::training_days, "days to train on", 1, 365},
        Field{"validation_days", &C::validation_days, "days after these, for the threshold", 1,
              365},
        Field{"test_days", &C::test_days, "days after these, for the figures", 1, 365},
        Field{"customers", &C::customers, "on a map of 100 x 100", 1, 1e5},
        Field{"terminals", &C::terminals, "on the same map", 1, 1e5},
        Field{"radius", &C::radius, "customers use the terminals this near", 0, 142}};
  }
};

/// By time, if `time` names a column; else by shares of the rows, drawn at random.
struct SplitConfig {
  std::string time = {};
  std::optional<double> validation_from = {}, test_from = {};
  double validation = 0.25, test = 0.25;
  static constexpr auto fields() {
    using C = SplitConfig;
    return std::tuple{
        Field{"time", &C::time, "numeric column that orders the rows; itself no feature"},
        Field{"validation_from", &C::validation_from, "its first value of the validation part"},
        Field{"test_from", &C::test_from, "its first value of the test part"},
        Field{"validation", &C::validation, "share of the rows, without time", 0.01, 0.9},
        Field{"test", &C::test, "share of the rows, without time", 0.01, 0.9}};
  }
  std::vector<std::string> problems() const;
};

struct ModelConfig {
  std::vector<int64_t> hidden = {64, 64};
  int64_t epochs = 12;
  int64_t batch_size = 256;
  double learning_rate = 3e-3;
  double weight_decay = 0.03;
  static constexpr auto fields() {
    using C = ModelConfig;
    return std::tuple{Field{"hidden", &C::hidden, "units of each hidden layer", 1, 4096},
                      Field{"epochs", &C::epochs, "passes over the training rows", 1, 1e4},
                      Field{"batch_size", &C::batch_size, "rows a step", 1, 65536},
                      Field{"learning_rate", &C::learning_rate, "of AdamW", 1e-8, 1},
                      Field{"weight_decay", &C::weight_decay, "of AdamW", 0, 10}};
  }
  std::vector<std::string> problems() const;
};

/// The control: labels in random order, so that the rows say nothing of them. Those of the training
/// part alone leave a true threshold, which finds by itself what stands out; with those of the
/// validation part nothing is left to find.
enum class Shuffle { none, training, training_and_validation };
constexpr std::array<std::string_view, 3> names(Shuffle) {
  return {"none", "training", "training_and_validation"};
}
static_assert(names(Shuffle{}).size() ==
              static_cast<std::size_t>(Shuffle::training_and_validation) + 1);

struct Config {
  Path input;
  std::optional<SimulateConfig> simulate;
  std::string label;
  std::vector<std::string> exclude, immutable, integer;
  std::string group;
  SplitConfig split;
  double epsilon = 0.1;
  std::optional<double> relative;
  Method method = Method::pgd;
  int64_t steps = 7;
  Noise noise;
  ModelConfig model;
  int64_t seeds = 5;
  Shuffle shuffle_labels = Shuffle::none;
  bool write_rows = true;

  static constexpr auto fields() {
    using C = Config;
    return std::tuple{
        Field{"input", &C::input, "table (.csv, .jsonl, .json)"},
        Field{"simulate", &C::simulate, "card payments in place of an input"},
        Field{"label", &C::label, "column of 0 and 1; 1 is what is looked for"},
        Field{"exclude", &C::exclude, "columns that are no features"},
        Field{"immutable", &C::immutable, "columns that nobody can move"},
        Field{"integer", &C::integer, "columns that take whole numbers alone"},
        Field{"group", &C::group, "column by whose values recall is reported; no feature"},
        Field{"split", &C::split, "which rows train, set the threshold, test"},
        Field{"epsilon", &C::epsilon, "greatest move, in standard deviations of the column", 0,
              100},
        Field{"relative", &C::relative, "and at most this share of the value itself", 0, 1},
        Field{"method", &C::method, "how training rows are moved"},
        Field{"steps", &C::steps, "of pgd and trades", 1, 1000},
        Field{"noise", &C::noise, "of the method noise, and of the row beside the others"},
        Field{"model", &C::model, "perceptron and its training"},
        Field{"seeds", &C::seeds, "networks of each kind", 1, 1000},
        Field{"shuffle_labels", &C::shuffle_labels,
              "labels in random order: a control with nothing to learn"},
        Field{"write_rows", &C::write_rows, "write augmented.csv"}};
  }
  std::vector<std::string> problems() const;
};

/// Means over the random seeds, on the test rows; intervals are Student's t, 95 %.
struct Scored {
  using Range = std::array<double, 2>;
  double clean_f1 = 0;
  Range clean_f1_interval{};
  double robust_f1 = 0;
  Range robust_f1_interval{};
  double ap = 0;
  Range ap_interval{};
  double evasion_f1 = 0, noise_f1 = 0;
  std::map<std::string, double> recall;
  static constexpr auto fields() {
    using C = Scored;
    return std::tuple{
        Field{"clean_f1", &C::clean_f1, "F1 of the rows as they are"},
        Field{"clean_f1_interval", &C::clean_f1_interval, "95 %"},
        Field{"robust_f1", &C::robust_f1, "F1 when PGD-20 moves every row"},
        Field{"robust_f1_interval", &C::robust_f1_interval, "95 %"},
        Field{"ap", &C::ap, "average precision of the rows as they are"},
        Field{"ap_interval", &C::ap_interval, "95 %"},
        Field{"evasion_f1", &C::evasion_f1, "F1 when PGD-20 moves the positives alone"},
        Field{"noise_f1", &C::noise_f1, "F1 when noise moves every row"},
        Field{"recall", &C::recall, "of the positives of each group, as they are"}};
  }
};

/// Against the baseline on the same random seeds.
struct Gain {
  double robust_f1_relative = 0;
  std::array<double, 2> robust_f1_relative_interval{};
  double robust_f1_delta = 0, clean_f1_delta = 0;
  std::array<double, 2> robust_f1_delta_interval{}, clean_f1_delta_interval{};
  static constexpr auto fields() {
    using C = Gain;
    return std::tuple{
        Field{"robust_f1_relative", &C::robust_f1_relative, "mean difference over mean baseline"},
        Field{"robust_f1_relative_interval", &C::robust_f1_relative_interval, "95 %, paired"},
        Field{"robust_f1_delta", &C::robust_f1_delta, "mean difference"},
        Field{"robust_f1_delta_interval", &C::robust_f1_delta_interval, "95 %, paired"},
        Field{"clean_f1_delta", &C::clean_f1_delta, "mean difference"},
        Field{"clean_f1_delta_interval", &C::clean_f1_delta_interval, "95 %, paired"}};
  }
};

/// Rows of a part.
struct Counts {
  int64_t train = 0, validation = 0, test = 0;
  static constexpr auto fields() {
    return std::tuple{Field{"train", &Counts::train, "to train on"},
                      Field{"validation", &Counts::validation, "to set the threshold"},
                      Field{"test", &Counts::test, "for the figures"}};
  }
};

struct Report {
  Counts rows, positives;
  int64_t rejected = 0;
  Scored baseline, noise, augmented;
  Gain gain, noise_gain;
  int64_t collapsed = 0;
  std::string model, augmented_rows;
  static constexpr auto fields() {
    using C = Report;
    return std::tuple{
        Field{"rows", &C::rows, "of each part"},
        Field{"positives", &C::positives, "rows labelled 1"},
        Field{"rejected", &C::rejected, "rows that could not be taken"},
        Field{"baseline", &C::baseline, "trained on the rows as they are"},
        Field{"noise", &C::noise, "trained on rows moved by noise"},
        Field{"augmented", &C::augmented, "trained on rows moved by the method"},
        Field{"gain", &C::gain, "augmented against baseline"},
        Field{"noise_gain", &C::noise_gain, "noise against baseline"},
        Field{"collapsed", &C::collapsed, "random seeds with catastrophic overfitting"},
        Field{"model", &C::model, "folder of the first augmented network"},
        Field{"augmented_rows", &C::augmented_rows,
              "training rows, then the same moved; empty if not written"}};
  }
};

/// Trains `seeds` networks without, with noise and with the method, and measures each on the test
/// rows. Writes augmented.csv (unless told not to) and model/ (model.safetensors, config.json).
/// Same bytes for any number of threads and on every kernel row. Throws Error{data} for a table
/// without the columns named, a label that is not 0 or 1, or a part without rows of both labels;
/// Interrupted when asked to stop.
Report run(const Config& config, Run& run);

}  // namespace cupel::augment

#include "augment/load.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "data/card_transactions.h"
#include "data/read.h"

namespace cupel::augment {
namespace {

constexpr int64_t kHistoryDays = 40;  // until the longest window, 30 + 7 days, is full
constexpr std::size_t kMostTexts = 64;

bool names_one_of(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::string plain(double value) {
  std::string text = shortest(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

struct Loaded {
  RawTable table;
  Parts parts;
};

Loaded simulate(const SimulateConfig& settings, Run& run) {
  const int64_t validation = kHistoryDays + settings.training_days;
  const int64_t test = validation + settings.validation_days;
  const auto transactions = simulate_card_transactions({.customers = settings.customers,
                                                        .terminals = settings.terminals,
                                                        .radius = settings.radius,
                                                        .days = test + settings.test_days},
                                                       run.seed(), run.pool());
  Loaded out;
  for (const std::string_view name : kCardFeatures) {
    Feature feature;
    feature.name = name;
    feature.immutable = name == "weekend" || name == "night";
    out.table.features.push_back(feature);
  }
  out.table.values = card_features(transactions);
  for (std::size_t i = 0; i < transactions.size(); ++i) {
    const CardTransaction& one = transactions[i];
    out.table.labels.push_back(one.scenario != 0);
    out.table.groups.push_back("scenario " + std::to_string(one.scenario));
    if (one.day() < kHistoryDays) continue;
    auto& part = one.day() < validation ? out.parts.train
                 : one.day() < test     ? out.parts.validation
                                        : out.parts.test;
    part.push_back(static_cast<int64_t>(i));
  }
  return out;
}

/// The table's rows that can be used: of every feature a finite number.
std::vector<int64_t> usable_rows(const Table& table, const std::vector<const Column*>& columns,
                                 const std::string& where, Run& run) {
  std::vector<int64_t> usable;
  for (int64_t row = 0; row < table.rows(); ++row) {
    const auto at = static_cast<std::size_t>(row);
    const auto missing = std::ranges::find_if(columns, [&](const Column* column) {
      return column->type == Column::Type::number && !std::isfinite(column->numbers[at]);
    });
    if (missing == columns.end()) {
      usable.push_back(row);
    } else {
      run.reject({where, table.lines[at], "missing_value", "column " + (*missing)->name});
    }
  }
  return usable;
}

uint8_t label_at(const Column& column, const Table& table, int64_t row, const std::string& where) {
  const auto at = static_cast<std::size_t>(row);
  const bool number = column.type == Column::Type::number;
  if (number && (column.numbers[at] == 0 || column.numbers[at] == 1))
    return column.numbers[at] == 1;
  fail(ErrorKind::data, where + ":" + std::to_string(table.lines[at]),
       "label \"" + column.name + "\" is " +
           (number ? plain(column.numbers[at]) : "\"" + clip(column.texts[at], 40) + "\"") +
           ", neither 0 nor 1",
       "name another column, or write 1 for what is looked for");
}

/// Values of one column as one or more features, each a vector by row.
class FeatureColumns {
 public:
  FeatureColumns(const Config& config, const std::vector<int64_t>& rows, std::string where)
      : config_(config), rows_(rows), where_(std::move(where)) {}

  void add(const Column& column) {
    Feature feature;
    feature.name = column.name;
    feature.immutable = names_one_of(config_.immutable, column.name);
    feature.integer = names_one_of(config_.integer, column.name);
    if (column.type == Column::Type::number) {
      append(feature, [&](std::size_t row) { return column.numbers[row]; });
      return;
    }
    std::set<std::string> texts;
    for (const int64_t row : rows_) texts.insert(column.texts[static_cast<std::size_t>(row)]);
    if (texts.size() > kMostTexts) {
      fail(ErrorKind::data, where_,
           "column \"" + column.name + "\" has " + std::to_string(texts.size()) +
               " different texts, more than " + std::to_string(kMostTexts),
           "name it in exclude");
    }
    feature.group = groups_++;
    for (const std::string& text : texts) {
      feature.name = column.name + "=" + text;
      append(feature, [&](std::size_t row) { return column.texts[row] == text ? 1.0 : 0.0; });
    }
  }

  /// Row after row.
  void fill(RawTable& table) const {
    table.features = features_;
    for (std::size_t row = 0; row < rows_.size(); ++row)
      for (const std::vector<float>& column : values_) table.values.push_back(column[row]);
  }
  bool empty() const { return features_.empty(); }

 private:
  template <class Value>
  void append(const Feature& feature, Value value) {
    features_.push_back(feature);
    std::vector<float>& out = values_.emplace_back();
    for (const int64_t row : rows_)
      out.push_back(static_cast<float>(value(static_cast<std::size_t>(row))));
  }

  const Config& config_;
  const std::vector<int64_t>& rows_;
  std::string where_;
  std::vector<Feature> features_;
  std::vector<std::vector<float>> values_;
  int groups_ = 0;
};

Parts split_by_time(const SplitConfig& split, const std::vector<double>& times) {
  Parts parts;
  for (std::size_t i = 0; i < times.size(); ++i) {
    auto& part = times[i] < *split.validation_from ? parts.train
                 : times[i] < *split.test_from     ? parts.validation
                                                   : parts.test;
    part.push_back(static_cast<int64_t>(i));
  }
  return parts;
}

Parts split_by_share(const SplitConfig& split, int64_t rows, Run& run) {
  std::vector<int64_t> order(static_cast<std::size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  Rng rng = run.stream("augment split");
  rng.shuffle(order);
  const auto share = [&](double of) { return std::llround(of * static_cast<double>(rows)); };
  const auto test = order.begin() + share(split.test);
  const auto validation = test + share(split.validation);
  Parts parts{{validation, order.end()}, {test, validation}, {order.begin(), test}};
  for (auto* part : {&parts.train, &parts.validation, &parts.test}) std::ranges::sort(*part);
  return parts;
}

/// Columns that the settings name must be there.
void check_names(const Config& config, const Table& table, const std::string& where) {
  for (const auto* list : {&config.exclude, &config.immutable, &config.integer})
    for (const std::string& name : *list) table.at(name, where);
  if (!config.group.empty()) table.at(config.group, where);
  if (config.split.time.empty()) return;
  if (table.at(config.split.time, where).type == Column::Type::text) {
    fail(ErrorKind::data, where, "column \"" + config.split.time + "\" of split.time has texts",
         "name a column of numbers, such as a day");
  }
}

Loaded read(const Config& config, Run& run) {
  const std::string& where = config.input.text;
  run.record_input(where);
  std::vector<Reject> rejects;
  const Table table = read_table(where, {}, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  const Column& label = table.at(config.label, where);
  check_names(config, table, where);
  std::vector<const Column*> columns, needed;
  for (const Column& column : table.columns) {
    const bool time = column.name == config.split.time && !config.split.time.empty();
    if (time) needed.push_back(&column);
    if (&column == &label || time || column.name == config.group ||
        names_one_of(config.exclude, column.name))
      continue;
    columns.push_back(&column);
  }
  needed.insert(needed.end(), columns.begin(), columns.end());
  const std::vector<int64_t> rows = usable_rows(table, needed, where, run);
  FeatureColumns features(config, rows, where);
  for (const Column* column : columns) features.add(*column);
  if (features.empty())
    fail(ErrorKind::data, where, "leaves no column to learn from", "shorten exclude");

  Loaded out;
  features.fill(out.table);
  std::vector<double> times;
  for (const int64_t row : rows) {
    const auto at = static_cast<std::size_t>(row);
    out.table.labels.push_back(label_at(label, table, row, where));
    if (!config.split.time.empty()) times.push_back(table.find(config.split.time)->numbers[at]);
    if (config.group.empty()) continue;
    const Column& group = *table.find(config.group);
    out.table.groups.push_back(group.type == Column::Type::text
                                   ? group.texts[at]
                                   : config.group + " " + plain(group.numbers[at]));
  }
  out.parts = times.empty() && config.split.time.empty()
                  ? split_by_share(config.split, out.table.rows(), run)
                  : split_by_time(config.split, times);
  return out;
}

void check_part(const std::vector<int64_t>& rows, const RawTable& table, const std::string& part,
                const std::string& where) {
  const auto positives = std::ranges::count_if(
      rows, [&](int64_t row) { return table.labels[static_cast<std::size_t>(row)] != 0; });
  if (positives > 0 && positives < std::ssize(rows)) return;
  fail(ErrorKind::data, where,
       "the " + part + " part has " + std::to_string(rows.size()) + " rows, " +
           std::to_string(positives) + " of them labelled 1",
       "each part needs rows of both labels; give it more");
}

void shuffle_labels(const std::vector<int64_t>& rows, RawTable& table, Rng rng) {
  std::vector<uint8_t> labels;
  for (const int64_t row : rows) labels.push_back(table.labels[static_cast<std::size_t>(row)]);
  rng.shuffle(labels);
  for (std::size_t i = 0; i < labels.size(); ++i)
    table.labels[static_cast<std::size_t>(rows[i])] = labels[i];
}

}  // namespace

Dataset load(const Config& config, Run& run) {
  Loaded loaded = config.simulate ? simulate(*config.simulate, run) : read(config, run);
  const std::string where = config.simulate ? "[augment.simulate]" : config.input.text;
  check_part(loaded.parts.train, loaded.table, "training", where);
  check_part(loaded.parts.validation, loaded.table, "validation", where);
  check_part(loaded.parts.test, loaded.table, "test", where);
  if (config.shuffle_labels != Shuffle::none)
    shuffle_labels(loaded.parts.train, loaded.table, run.stream("augment labels", 0));
  if (config.shuffle_labels == Shuffle::training_and_validation)
    shuffle_labels(loaded.parts.validation, loaded.table, run.stream("augment labels", 1));
  return standardise(loaded.table, loaded.parts);
}

}  // namespace cupel::augment

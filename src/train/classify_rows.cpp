#include "train/classify_rows.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/text.h"
#include "data/labelled.h"
#include "data/split.h"
#include "data/tokenizer/shorten.h"
#include "train/dataset.h"
#include "train/excess.h"

namespace cupel::train {
namespace {

struct LabelledSet {
  std::vector<LabelledText> train, validation;
  std::string input;
};

LabelledSet read_set(const DatasetConfig& source, double share, Run& run) {
  run.record_input(source.path.text);
  LabelledOptions options{{source.split, source.columns}, source.text_field, source.label_field};
  options.poll = [&run] { run.stop_if_asked(); };
  std::vector<Reject> rejects;
  LabelledSet set;
  set.input = source.path.text;
  for (LabelledText& row : read_labelled(source.path.text, options, &rejects)) {
    const bool held_out = is_held_out(row.text, "", share);
    (held_out ? set.validation : set.train).push_back(std::move(row));
  }
  for (const Reject& reject : rejects) run.reject(reject);
  return set;
}

/// At most five of them, quoted, and how many more there are.
std::string told(const std::vector<std::string>& labels) {
  constexpr std::size_t kMostTold = 5;
  std::string text;
  for (std::size_t i = 0; i < labels.size() && i < kMostTold; ++i)
    text += (i == 0 ? "\"" : ", \"") + clip(labels[i], 80) + "\"";
  if (labels.size() > kMostTold)
    text += " and " + std::to_string(labels.size() - kMostTold) + " more";
  return text;
}

/// The labels of all sets; warns of those that can hardly be learned.
std::vector<std::string> labels_of(const std::vector<LabelledSet>& sets, Run& run) {
  std::map<std::string, int64_t> rows, learned;
  std::vector<std::string> all;
  for (const LabelledSet& set : sets) {
    for (const LabelledText& row : set.train) {
      ++rows[row.label];
      ++learned[row.label];
    }
    for (const LabelledText& row : set.validation) ++rows[row.label];
  }
  std::vector<std::string> rare, held_out;
  for (const auto& [label, count] : rows) {
    all.push_back(label);
    if (count < 2) rare.push_back(label);
    if (!learned.contains(label)) held_out.push_back(label);
  }
  if (!rare.empty()) run.log(LogLevel::warning, "fewer than two rows have label " + told(rare));
  if (!held_out.empty())
    run.log(
        LogLevel::warning,
        "every row was held out for validation, so nothing is learned, of label " + told(held_out));
  if (all.size() < 2) {
    fail(ErrorKind::data, "[train]", "every row has label " + told(all),
         "a classifier needs two classes at least; look at label_field");
  }
  return sorted_labels(std::move(all));
}

/// Texts → rows of tokens.
class RowTokenizer {
 public:
  RowTokenizer(const Config& config, const std::vector<std::string>& labels,
               const Tokenizer& tokenizer, Run& run)
      : config_(config), tokenizer_(tokenizer), run_(run) {
    for (std::size_t i = 0; i < labels.size(); ++i)
      classes_.emplace(labels[i], static_cast<int64_t>(i));
  }

  std::vector<nn::ClassifiedRow> rows_of(const std::vector<LabelledText>& texts,
                                         const std::string& input) {
    std::vector<nn::ClassifiedRow> rows;
    RowCounts counts;
    for (const LabelledText& text : texts) {
      run_.stop_if_asked();
      ++counts.rows;
      std::vector<int32_t> ids = tokenizer_.encode(text.text, true);
      const auto set_aside = [&](std::string_view rule) {
        ++counts.rejected;
        run_.reject({input, text.line, std::string(rule), text.text});
      };
      if (ids.empty()) {
        set_aside("no_tokens");
      } else if (static_cast<int64_t>(ids.size()) <= config_.sequence_len) {
        ++counts.whole;
        rows.push_back({std::move(ids), classes_.at(text.label)});
      } else if (strategy_for(ids.size(), text, input) == ExcessLength::drop) {
        set_aside("longer_than_sequence_len");
      } else {
        ++counts.truncated;
        ids = shortened(tokenizer_, text.text, std::move(ids), config_.sequence_len);
        rows.push_back({std::move(ids), classes_.at(text.label)});
      }
    }
    if (counts.whole < counts.rows) run_.log(LogLevel::info, input + ": " + to_text(counts));
    return rows;
  }

 private:
  /// drop or truncate.
  ExcessLength strategy_for(std::size_t tokens, const LabelledText& text,
                            const std::string& input) const {
    const auto& strategy = config_.excess_length_strategy;
    if (strategy && *strategy != ExcessLength::raise) return *strategy;
    fail(ErrorKind::data, input + ":" + std::to_string(text.line),
         "the row has " + std::to_string(tokens) + " tokens, more than sequence_len " +
             std::to_string(config_.sequence_len),
         strategy ? "shorten the row, raise sequence_len or choose another excess_length_strategy"
                  : "set excess_length_strategy: drop or truncate; or raise sequence_len");
  }

  const Config& config_;
  const Tokenizer& tokenizer_;
  Run& run_;
  std::map<std::string, int64_t> classes_;
};

}  // namespace

ClassifiedRows load_classified(const Config& config, const Tokenizer& tokenizer,
                               const std::optional<std::vector<std::string>>& known, Run& run) {
  std::vector<LabelledSet> sets;
  for (const DatasetConfig& source : config.datasets)
    sets.push_back(read_set(source, config.val_set_size, run));
  ClassifiedRows result;
  result.labels = labels_of(sets, run);
  const auto is_known = [&](const std::string& label) {
    return std::ranges::find(*known, label) != known->end();
  };
  if (known && std::ranges::all_of(result.labels, is_known)) result.labels = *known;
  RowTokenizer tokens(config, result.labels, tokenizer, run);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    result.train.push_back(
        {tokens.rows_of(sets[i].train, sets[i].input), config.datasets[i].weight});
    if (result.train.back().rows.empty()) {
      fail(ErrorKind::data, sets[i].input, "no row is left to train on",
           "lower val_set_size or raise sequence_len");
    }
    std::vector<nn::ClassifiedRow> more = tokens.rows_of(sets[i].validation, sets[i].input);
    std::ranges::move(more, std::back_inserter(result.validation));
  }
  return result;
}

ClassifyData read_classify(const Config& config, Run& run) {
  Tokenizer tokenizer = *given_tokenizer(config, run);  // without one there is a problem before
  std::optional<std::vector<std::string>> known;
  if (!config.base_model.empty()) known = nn::head_labels(config.base_model.text);
  auto rows = std::make_unique<ClassifiedRows>(load_classified(config, tokenizer, known, run));
  nn::ClassifierConfig model = resolve_classifier(config, tokenizer.vocab_size(), rows->labels);
  if (config.base_model.empty()) model.pad_token_id = tokenizer.token_to_id("[PAD]").value_or(0);
  auto order =
      std::make_unique<nn::RowOrder>(rows->train, config.micro_batch_size, run, "train.datasets");
  const bool with_head = known && rows->labels == *known;
  return {std::move(tokenizer), std::move(rows), std::move(order), std::move(model), with_head};
}

}  // namespace cupel::train

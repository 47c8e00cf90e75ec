#include "curate/topic_stage.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/scratch_file.h"
#include "curate/texts.h"

namespace cupel::curate {
namespace {

/// Rows that nothing has dropped, and their scores, on disk.
class SpooledScores {
 public:
  explicit SpooledScores(const Run& run) : file_(run.folder()) {}

  void add(int64_t row, double score) {
    const Entry entry{row, score};
    file_.append({reinterpret_cast<const char*>(&entry), sizeof entry});
  }

  /// take(rows, scores) on a part at a time, in the order of the rows.
  template <class Take>
  void scan(const Take& take) const {
    constexpr int64_t kAtOnce = 1 << 14;
    const int64_t count = file_.size() / static_cast<int64_t>(sizeof(Entry));
    std::vector<Entry> entries;
    std::vector<int64_t> rows;
    std::vector<double> scores;
    for (int64_t first = 0; first < count; first += kAtOnce) {
      entries.resize(static_cast<std::size_t>(std::min(kAtOnce, count - first)));
      file_.read(first * static_cast<int64_t>(sizeof(Entry)),
                 reinterpret_cast<char*>(entries.data()), entries.size() * sizeof(Entry));
      rows.clear();
      scores.clear();
      for (const Entry& entry : entries) {
        rows.push_back(entry.row);
        scores.push_back(entry.score);
      }
      take(rows, scores);
    }
  }

 private:
  struct Entry {
    int64_t row;
    double score;
  };
  ScratchFile file_;
};

void score_rows(const TopicModel& model, ParserPool& parsers, const RowStore& rows, int64_t first,
                Run& run, SpooledScores& out) {
  std::vector<double> batch(kPassRows);
  for_each_kept_text(
      rows, parsers, run, "topic",
      [&](int64_t row, std::size_t slot, std::string_view text) {
        if (row >= first) batch[slot] = model.score(text);
      },
      [&](int64_t row, std::size_t slot) {
        if (row >= first) out.add(row, batch[slot]);
      });
}

void drop(const TopicModel& model, double fit, const SpooledScores& scored, RowStore& rows) {
  scored.scan([&](const std::vector<int64_t>& numbers, const std::vector<double>& scores) {
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const double probability = model.probability_of_score(scores[i]);
      if (probability > fit) continue;
      RowRecord record = rows.record(numbers[i]);
      record.rule = rows.rule_number("topic", "fit");
      record.value = probability;
      record.threshold = fit;
      rows.set_record(numbers[i], record);
    }
  });
}

}  // namespace

TopicReport drop_off_topic(const TopicConfig& config, const std::string& text_field,
                           ParserPool& parsers, RowStore& rows, int64_t first, Run& run) {
  const std::vector<std::string> reference = texts_of(config.reference, text_field, run);
  const std::vector<std::string> background = texts_of(config.background, text_field, run);
  TopicModel model = TopicModel::fit(reference, background, config, run.seed(), run.pool(),
                                     [&run] { run.stop_if_asked(); });
  SpooledScores scored(run);
  score_rows(model, parsers, rows, first, run, scored);
  model.estimate_balance_in_parts([&](const Calibration::Take& take) {
    run.stop_if_asked();
    scored.scan(
        [&](const std::vector<int64_t>&, const std::vector<double>& scores) { take(scores); });
  });
  drop(model, config.fit, scored, rows);
  TopicReport report = model.report();
  if (report.warning) run.log(LogLevel::warning, "topic: " + *report.warning);
  return report;
}

}  // namespace cupel::curate

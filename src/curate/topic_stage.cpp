#include "curate/topic_stage.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error.h"
#include "data/read.h"

namespace cupel::curate {
namespace {

constexpr int64_t kRecordsAtOnce = 4096, kRecordsAThread = 16;

void stop_if_asked(const Run& run) {
  if (run.stop_requested()) throw Interrupted();
}

std::vector<std::string> texts_of(const Path& path, CorpusOptions fields, Run& run) {
  fields.poll = [&run] { stop_if_asked(run); };
  std::vector<Reject> rejects;
  Corpus corpus = read_corpus(path.text, fields, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<std::string> texts;
  texts.reserve(corpus.documents.size());
  for (Document& document : corpus.documents) texts.push_back(std::move(document.text));
  return texts;
}

/// Rows that nothing has dropped so far, and their scores.
struct Scores {
  std::vector<int64_t> rows;
  std::vector<double> scores;
};

Scores score_rows(const TopicModel& model, ParserPool& parsers, const RowStore& rows, int64_t first,
                  Run& run) {
  Scores out;
  for (int64_t begin = first; begin < rows.size(); begin += kRecordsAtOnce) {
    stop_if_asked(run);
    run.progress(begin - first, rows.size() - first, "topic");
    const int64_t count = std::min(kRecordsAtOnce, rows.size() - begin);
    const std::vector<RowRecord> records = rows.records(begin, count);
    const std::size_t before = out.rows.size();
    std::vector<std::size_t> left;  // indices into records
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i].rule != 0) continue;
      left.push_back(i);
      out.rows.push_back(begin + static_cast<int64_t>(i));
    }
    out.scores.resize(out.rows.size());
    const auto score_some = [&](int64_t from, int64_t to) {
      parsers.with([&](RowFieldParser& parser) {
        for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) {
          const RowRecord& record = records[left[i]];
          const std::string json = rows.json(record);
          RowFields fields;
          CUPEL_ASSERT(!parser.parse(json, record.line, fields));
          out.scores[before + i] = model.score(fields.text);
        }
      });
    };
    run.pool().parallel_for(static_cast<int64_t>(left.size()), kRecordsAThread, score_some);
  }
  return out;
}

TopicReport report_of(const TopicModel& model) {
  const json::Value figures = model.to_json();
  const auto text = [&](const char* name) { return figures.find(name)->as_string(name); };
  const auto number = [&](const char* name) { return figures.find(name)->as_double(name); };
  TopicReport report;
  report.score = text("score");
  report.definition = text("definition");
  report.fit = number("fit");
  report.balance = number("balance");
  report.balance_from = text("balance_from");
  report.reference_documents = figures.find("reference_documents")->as_int("reference_documents");
  report.background_documents =
      figures.find("background_documents")->as_int("background_documents");
  report.auc = number("auc");
  report.calibration_error = number("calibration_error");
  report.reference_lost = number("reference_lost");
  report.background_kept = number("background_kept");
  return report;
}

}  // namespace

TopicReport drop_off_topic(const TopicConfig& config, const CorpusOptions& fields,
                           ParserPool& parsers, RowStore& rows, int64_t first, Run& run) {
  const std::vector<std::string> reference = texts_of(config.reference, fields, run);
  const std::vector<std::string> background = texts_of(config.background, fields, run);
  TopicModel model = TopicModel::fit(reference, background, config, run.seed(), run.pool(),
                                     [&run] { stop_if_asked(run); });
  const Scores scored = score_rows(model, parsers, rows, first, run);
  model.estimate_balance(scored.scores);
  for (std::size_t i = 0; i < scored.rows.size(); ++i) {
    const double probability = model.probability_of_score(scored.scores[i]);
    if (probability > config.fit) continue;
    RowRecord record = rows.record(scored.rows[i]);
    record.rule = rows.rule_number("topic", "fit");
    record.value = probability;
    record.threshold = config.fit;
    rows.set_record(scored.rows[i], record);
  }
  return report_of(model);
}

}  // namespace cupel::curate

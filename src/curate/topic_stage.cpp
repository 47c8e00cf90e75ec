#include "curate/topic_stage.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "curate/texts.h"

namespace cupel::curate {
namespace {

void stop_if_asked(const Run& run) {
  if (run.stop_requested()) throw Interrupted();
}

std::vector<std::string> texts_of(const Path& path, const std::string& text_field, Run& run) {
  CorpusOptions options;
  options.text_field = text_field;
  options.document_a_line = true;  // as the input is read
  options.poll = [&run] { stop_if_asked(run); };
  std::vector<Reject> rejects;
  Corpus corpus = read_corpus(path.text, options, &rejects);
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
  std::vector<double> batch(kPassRows);
  for_each_kept_text(
      rows, parsers, run, "topic",
      [&](int64_t row, std::size_t slot, std::string_view text) {
        if (row >= first) batch[slot] = model.score(text);
      },
      [&](int64_t row, std::size_t slot) {
        if (row < first) return;
        out.rows.push_back(row);
        out.scores.push_back(batch[slot]);
      });
  return out;
}

}  // namespace

TopicReport drop_off_topic(const TopicConfig& config, const std::string& text_field,
                           ParserPool& parsers, RowStore& rows, int64_t first, Run& run) {
  const std::vector<std::string> reference = texts_of(config.reference, text_field, run);
  const std::vector<std::string> background = texts_of(config.background, text_field, run);
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
  return model.report();
}

}  // namespace cupel::curate

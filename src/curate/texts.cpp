#include "curate/texts.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/read.h"

namespace cupel::curate {
namespace {

/// Records from `first` on, as many as are in hand at a time.
std::vector<RowRecord> records_in_hand(const RowStore& rows, int64_t first) {
  std::vector<RowRecord> records = rows.records(first, std::min(kPassRows, rows.size() - first));
  int64_t bytes = 0;
  std::size_t count = 0;
  while (count < records.size() && (count == 0 || bytes + records[count].size <= kPassBytes))
    bytes += records[count++].size;
  records.resize(count);
  return records;
}

}  // namespace

ParserPool::ParserPool(std::string text_field, std::string id_field,
                       std::vector<std::string> required_fields)
    : text_field_(std::move(text_field)),
      id_field_(std::move(id_field)),
      required_fields_(std::move(required_fields)) {}

std::unique_ptr<RowFieldParser> ParserPool::take() {
  const std::lock_guard guard(mutex_);
  if (idle_.empty())
    return std::make_unique<RowFieldParser>(text_field_, id_field_, required_fields_);
  std::unique_ptr<RowFieldParser> parser = std::move(idle_.back());
  idle_.pop_back();
  return parser;
}

void read_fields(const RowStore& rows, const RowRecord& record, RowFieldParser& parser,
                 std::string& json, RowFields& fields) {
  json = rows.json(record);
  if (!parser.parse(json, record.line, fields)) return;
  fail(ErrorKind::data, rows.file_name(record) + ":" + std::to_string(record.line),
       "the row has changed since it was first read",
       "leave the file as it is until the run ends, and begin again");
}

std::vector<std::string> texts_of(const Path& path, const std::string& text_field, Run& run) {
  CorpusOptions options;
  options.text_field = text_field;
  options.document_a_line = true;  // as the input is read
  options.poll = [&run] { run.stop_if_asked(); };
  std::vector<Reject> rejects;
  Corpus corpus = read_corpus(path.text, options, &rejects);
  for (const Reject& reject : rejects) run.reject(reject);
  std::vector<std::string> texts;
  texts.reserve(corpus.documents.size());
  for (Document& document : corpus.documents) texts.push_back(std::move(document.text));
  return texts;
}

void for_each_kept_text(const RowStore& rows, ParserPool& parsers, Run& run, std::string_view note,
                        const std::function<void(int64_t, std::size_t, std::string_view)>& work,
                        const std::function<void(int64_t, std::size_t)>& enter) {
  constexpr int64_t kRowsAThread = 64, kParts = 16;
  for (int64_t first = 0, count = 0; first < rows.size(); first += count) {
    run.stop_if_asked();
    run.progress(first, rows.size(), note);
    const std::vector<RowRecord> records = records_in_hand(rows, first);
    count = static_cast<int64_t>(records.size());
    const int64_t grain = std::clamp<int64_t>(count / kParts, 1, kRowsAThread);
    run.pool().parallel_for(count, grain, [&](int64_t from, int64_t to) {
      parsers.with([&](RowFieldParser& parser) {
        std::string json;
        RowFields fields;
        for (auto i = static_cast<std::size_t>(from); i < static_cast<std::size_t>(to); ++i) {
          if (records[i].rule != 0) continue;
          read_fields(rows, records[i], parser, json, fields);
          work(first + static_cast<int64_t>(i), i, fields.text);
        }
      });
    });
    for (std::size_t i = 0; i < records.size(); ++i) {
      if (records[i].rule == 0) enter(first + static_cast<int64_t>(i), i);
    }
  }
}

}  // namespace cupel::curate

// Comma-separated values as RFC 4180 has them, with a header: quoted fields may hold commas, quotes
// ("" for one) and line breaks. A quote inside an unquoted field is a character like any other.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "data/byte_stream.h"
#include "data/formats.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace cupel::formats {

namespace {

constexpr std::size_t kMaxColumns = 100'000;

struct Record {
  std::vector<std::string> fields;
  std::string raw;   // its lines as the file has them
  int64_t line = 0;  // of its beginning
  std::optional<RowProblem> problem;
};

/// Cuts records out of lines. A record that ends inside quotes goes on in the next line.
class RecordReader {
 public:
  explicit RecordReader(const std::filesystem::path& path) : name_(path.string()), lines_(path) {}

  bool next(Record& record) {
    Line line;
    do {
      if (!lines_.next(line)) return false;
    } while (line.text.empty());
    record = {};
    record.line = line.number;
    quoted_ = false;
    field_.clear();
    while (true) {
      if (line.too_long || record.raw.size() + line.text.size() > kMaxRowBytes)
        fail_too_long(record);
      record.raw += line.text;
      scan(line.text, record);
      if (!quoted_) return true;
      field_ += '\n';
      record.raw += '\n';
      if (!lines_.next(line)) {
        fail(ErrorKind::data, name_ + ":" + std::to_string(record.line),
             "a quoted field is never closed", "close it, or write a quote in a field as \"\"");
      }
    }
  }

 private:
  /// What follows a row of 32 MiB cannot be told apart from it, so the run ends here.
  [[noreturn]] void fail_too_long(const Record& record) const {
    fail(ErrorKind::data, name_ + ":" + std::to_string(record.line), too_long().text,
         "shorten it, or close the quote that is left open");
  }

  void end_field(Record& record) {
    if (record.fields.size() < kMaxColumns) {
      record.fields.push_back(std::move(field_));
    } else {
      record.problem = RowProblem{"columns", "more than 100000 fields"};
    }
    field_.clear();
  }

  /// One line; on return quoted_ says whether it ended inside quotes.
  void scan(std::string_view text, Record& record) {
    std::size_t at = 0;
    bool closed = false;  // the field was quoted and its quotes are closed
    while (at < text.size()) {
      if (quoted_) {
        const std::size_t quote = text.find('"', at);
        field_ += text.substr(at, quote - at);
        if (quote == text.npos) return;
        at = quote + 1;
        if (at < text.size() && text[at] == '"') {
          field_ += '"';
          ++at;
        } else {
          quoted_ = false;
          closed = true;
        }
      } else if (text[at] == ',') {
        end_field(record);
        closed = false;
        ++at;
      } else if (text[at] == '"' && field_.empty() && !closed) {
        quoted_ = true;
        ++at;
      } else {
        if (closed) record.problem = RowProblem{"quote", "text after a closing quote"};
        const std::size_t comma = std::min(text.find(',', at), text.size());
        field_ += text.substr(at, comma - at);
        at = comma;
      }
    }
    if (!quoted_) end_field(record);
  }

  std::string name_;
  LineReader lines_;
  std::string field_;
  bool quoted_ = false;
};

void check_header(const Record& header, const std::string& name) {
  const std::string where = name + ":" + std::to_string(header.line);
  if (header.problem) fail(ErrorKind::data, where, header.problem->text, "correct the header");
  std::set<std::string_view> seen;
  for (const std::string& field : header.fields) {
    if (find_invalid_utf8(field))
      fail(ErrorKind::data, where, "header is not valid UTF-8", "convert the file to UTF-8");
    if (!seen.insert(field).second) {
      fail(ErrorKind::data, where, "column \"" + field + "\" stands twice", "rename one of them");
    }
  }
}

std::optional<RowProblem> check_record(const Record& record, std::size_t columns) {
  if (record.problem) return record.problem;
  if (record.fields.size() != columns) {
    return RowProblem{"columns", std::to_string(record.fields.size()) + " fields, the header has " +
                                     std::to_string(columns)};
  }
  if (find_invalid_utf8(record.raw)) return RowProblem{"utf8", "not valid UTF-8"};
  return std::nullopt;
}

}  // namespace

void read_csv(const std::filesystem::path& path, RowTaker& taker) {
  RecordReader reader(path);
  Record header;
  if (!reader.next(header)) {
    fail(ErrorKind::data, taker.name(), "file has no header line",
         "name the columns in its first line");
  }
  check_header(header, taker.name());
  Record record;
  while (reader.next(record)) {
    if (const auto problem = check_record(record, header.fields.size())) {
      taker.reject(*problem, record.line, record.raw);
      continue;
    }
    json::Object row;
    row.reserve(record.fields.size());
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
      row.emplace_back(header.fields[i], std::move(record.fields[i]));
    }
    taker.take(std::move(row), record.line, record.raw);
  }
}

}  // namespace cupel::formats

// Reading data files: the format goes by the extension, and no row is dropped silently.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/run.h"
#include "data/corpus.h"
#include "data/table.h"

namespace cupel {

/// Why a row is not taken: a stable id for counting and a sentence for a person.
struct RowProblem {
  std::string rule;  // "json", "utf8", "nul", "missing_field", "wrong_type", "columns", …
  std::string text;  // as in: field "text": missing
};
RowProblem field_problem(std::string rule, const std::string& field, std::string_view text);

/// Gets each row as an object, in file order; what it returns makes the row a reject.
using RowCallback = std::function<std::optional<RowProblem>(json::Value&& row, int64_t line)>;

struct ReadOptions {
  std::string split;                 // which member of a .json object of splits
  std::vector<std::string> columns;  // names for rows that are arrays
};

struct ReadCounts {
  int64_t rows = 0;  // in the file, taken or not
  int64_t rejected = 0;
};

/// Formats: .jsonl (an object a line; blank lines are no rows), .json (array of rows, or object of
/// such arrays), .csv (RFC 4180 with a header; every value a string), .txt (a row {"text": …} a
/// line); any of them with .gz or .zst; .parquet (values as arrow_value() has them), where the
/// plug-in that reads it is there.
/// Rejects go to `rejects` with the row's line; without it the first one is Error{data}
/// "file:line: …". Also Error{data}: a file without rows, one whose rows are all rejected, a broken
/// document (.json, unclosed quote in .csv). Error{config}: missing file, unknown extension, no
/// such split.
ReadCounts for_each_row(const std::filesystem::path& path, const ReadOptions& options,
                        const RowCallback& callback, std::vector<Reject>* rejects);

struct CorpusOptions {
  ReadOptions read;
  std::string text_field = "text";
  std::string id_field = "id";   // string or integer; where it is missing the line number serves
  bool document_a_line = false;  // of .txt; otherwise the whole file is one document
  std::function<void()> poll{};  // called at every row; may throw to end the reading
};

/// A .txt file, compressed or not.
bool is_text_file(const std::filesystem::path& path);

/// A row without text_field as a string, or with NUL in it, is a reject.
ReadCounts for_each_document(const std::filesystem::path& path, const CorpusOptions& options,
                             const std::function<void(Document&&)>& take,
                             std::vector<Reject>* rejects);
/// All of them.
Corpus read_corpus(const std::filesystem::path& path, const CorpusOptions& options,
                   std::vector<Reject>* rejects);

/// Columns are those of the first row; a row that has others is a reject. A column is numeric if
/// every value is a number, looks like one, or is missing (null, "").
Table read_table(const std::filesystem::path& path, const ReadOptions& options,
                 std::vector<Reject>* rejects);

}  // namespace cupel

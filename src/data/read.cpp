#include "data/read.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "data/byte_stream.h"
#include "data/formats.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace cupel {

namespace formats {

RowTaker::RowTaker(const std::filesystem::path& path, const RowCallback& callback,
                   RejectCallback reject)
    : name_(path.string()), callback_(callback), reject_(std::move(reject)) {}

RowTaker::RowTaker(const std::filesystem::path& path, const RowCallback& callback,
                   std::vector<Reject>* rejects)
    : RowTaker(path, callback,
               [name = path.string(), rejects](const RowProblem& problem, int64_t line,
                                               std::string_view raw) {
                 const std::string where = name + ":" + std::to_string(line);
                 if (rejects == nullptr)
                   fail(ErrorKind::data, where, problem.text, "correct or remove the row");
                 rejects->push_back({name, line, problem.rule, clip_text(raw)});
               }) {}

void RowTaker::take(json::Value&& row, int64_t line, std::string_view raw) {
  if (const auto problem = callback_(std::move(row), line)) {
    reject(*problem, line, raw);
  } else {
    ++counts_.rows;
  }
}

void RowTaker::reject(const RowProblem& problem, int64_t line, std::string_view raw) {
  reject_(problem, line, raw);
  ++counts_.rows;
  ++counts_.rejected;
  if (counts_.rejected > 1) return;
  first_where_ = name_ + ":" + std::to_string(line);
  first_problem_ = problem.text;
}

ReadCounts RowTaker::finish() const {
  if (counts_.rows == 0) {
    fail(ErrorKind::data, name_, "file has no rows", "give a file with at least one row");
  }
  if (counts_.rejected == counts_.rows) {
    fail(ErrorKind::data, first_where_,
         first_problem_ + " (none of the file's " + std::to_string(counts_.rows) +
             " rows can be read)",
         "correct the file, or name the right field");
  }
  return counts_;
}

std::optional<RowProblem> name_columns(json::Value& row, const std::vector<std::string>& columns) {
  if (row.is_object()) return std::nullopt;
  if (!row.is_array()) return RowProblem{"not_an_object", "the row is not an object"};
  if (columns.empty()) {
    return RowProblem{"not_an_object",
                      "the row is an array; set columns to the names of its fields"};
  }
  const json::Array& items = row.as_array("row");
  if (items.size() != columns.size()) {
    return RowProblem{"columns", std::to_string(items.size()) + " values for " +
                                     std::to_string(columns.size()) + " columns"};
  }
  json::Object named;
  for (std::size_t i = 0; i < items.size(); ++i) named.emplace_back(columns[i], items[i]);
  row = std::move(named);
  return std::nullopt;
}

RowProblem too_long() {
  return {"line_too_long", "row longer than " + std::to_string(kMaxRowBytes >> 20) + " MiB"};
}

std::string read_all(const std::filesystem::path& path, std::size_t limit,
                     const std::function<void()>& poll) {
  constexpr std::size_t kReadAtOnce = std::size_t{4} << 20;  // the longest between two polls
  ByteStream stream(path);
  std::string text;
  std::size_t size = 0;
  while (true) {
    if (poll) poll();
    if (text.size() == size) text.resize(std::max(size + (std::size_t{1} << 16), size * 3 / 2));
    const std::size_t got =
        stream.read(text.data() + size, std::min(text.size() - size, kReadAtOnce));
    size += got;
    if (got == 0) break;
    if (size > limit) {
      fail(ErrorKind::data, path.string(), "larger than " + std::to_string(limit >> 20) + " MiB",
           "split it, or give it as .jsonl, which is read row by row");
    }
  }
  text.resize(size);
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  if (text.empty()) {
    fail(ErrorKind::data, path.string(), "file is empty", "give a file with at least one row");
  }
  return text;
}

}  // namespace formats

namespace {

enum class Format { jsonl, json, csv, txt, parquet };

Format format_of(const std::filesystem::path& path) {
  std::filesystem::path plain = path;
  if (plain.extension() == ".gz" || plain.extension() == ".zst") plain.replace_extension();
  const std::string extension = plain.extension().string();
  if (path.extension() == ".parquet") return Format::parquet;
  constexpr std::array<std::pair<std::string_view, Format>, 4> kFormats{{{".jsonl", Format::jsonl},
                                                                         {".json", Format::json},
                                                                         {".csv", Format::csv},
                                                                         {".txt", Format::txt}}};
  for (const auto& [name, format] : kFormats) {
    if (extension == name) return format;
  }
  for (const std::string_view pickle : {".pt", ".pth", ".bin", ".pkl", ".pickle"}) {
    if (extension == pickle) {
      fail(ErrorKind::config, path.string(), "pickle files can run code and are not read",
           "save tensors with safetensors.torch.save_file and rows as .jsonl");
    }
  }
  fail(ErrorKind::config, path.string(), "unknown extension \"" + extension + "\"",
       "known: .jsonl .json .csv .txt, each also with .gz or .zst, and .parquet");
}

std::string_view kind_of(const json::Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  return value.is_array() ? "an array" : "an object";
}

/// Fills id and text, or says what is wrong with the row.
std::optional<RowProblem> to_document(json::Value& row, const CorpusOptions& options,
                                      Document& document) {
  const json::Value* text = row.find(options.text_field);
  if (text == nullptr) return field_problem("missing_field", options.text_field, "missing");
  if (!text->is_string()) {
    return field_problem("wrong_type", options.text_field,
                         "expected a string, found " + std::string(kind_of(*text)));
  }
  document.text = text->as_string(options.text_field);
  if (document.text.find('\0') != std::string::npos) {
    return field_problem("nul", options.text_field, "holds a NUL character");
  }
  const json::Value* id = row.find(options.id_field);
  if (id == nullptr || id->is_null()) {
    document.id = std::to_string(document.line);
  } else if (id->is_string()) {
    document.id = id->as_string(options.id_field);
  } else if (id->is_int()) {
    document.id = std::to_string(id->as_int(options.id_field));
  } else {
    return field_problem("wrong_type", options.id_field,
                         "expected a string or an integer, found " + std::string(kind_of(*id)));
  }
  return std::nullopt;
}

}  // namespace

RowProblem field_problem(std::string rule, const std::string& field, std::string_view text) {
  return {std::move(rule), "field \"" + field + "\": " + std::string(text)};
}

void formats::read_rows(const std::filesystem::path& path, const ReadOptions& options,
                        RowTaker& taker) {
  switch (format_of(path)) {
    case Format::jsonl:
      return read_jsonl(path, options, taker);
    case Format::json:
      return read_json(path, options, taker);
    case Format::csv:
      return read_csv(path, taker);
    case Format::txt:
      return read_txt_lines(path, taker);
    case Format::parquet:
      return read_parquet(path, taker);
  }
}

ReadCounts for_each_row(const std::filesystem::path& path, const ReadOptions& options,
                        const RowCallback& callback, std::vector<Reject>* rejects) {
  formats::RowTaker taker(path, callback, rejects);
  formats::read_rows(path, options, taker);
  return taker.finish();
}

bool is_text_file(const std::filesystem::path& path) { return format_of(path) == Format::txt; }

ReadCounts for_each_document(const std::filesystem::path& path, const CorpusOptions& options,
                             const std::function<void(Document&&)>& take,
                             std::vector<Reject>* rejects) {
  const bool text_file = is_text_file(path);
  CorpusOptions fields = options;
  if (text_file) fields.text_field = "text";
  const RowCallback add = [&](json::Value&& row, int64_t line) {
    if (options.poll) options.poll();
    Document document;
    document.line = line;
    std::optional<RowProblem> problem = to_document(row, fields, document);
    if (!problem) take(std::move(document));
    return problem;
  };
  if (!text_file || options.document_a_line) return for_each_row(path, options.read, add, rejects);
  formats::RowTaker taker(path, add, rejects);
  formats::read_txt_whole(path, options.poll, taker);
  return taker.finish();
}

Corpus read_corpus(const std::filesystem::path& path, const CorpusOptions& options,
                   std::vector<Reject>* rejects) {
  Corpus corpus;
  const auto take = [&](Document&& document) { corpus.documents.push_back(std::move(document)); };
  const ReadCounts counts = for_each_document(path, options, take, rejects);
  corpus.rows = counts.rows;
  corpus.rejected = counts.rejected;
  return corpus;
}

}  // namespace cupel

#include "data/raw_rows.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "data/formats.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;
namespace dom = simdjson::dom;

constexpr std::size_t kMaxDepth = 64;  // as base/json.h allows

/// Collects rows until there are enough for a call.
class Batch {
 public:
  Batch(std::size_t bytes, const std::function<void(const std::vector<RawRow>&)>& take)
      : limit_(bytes), take_(take) {}

  void add(std::string_view json, int64_t line, int64_t offset) { place(json, line, offset); }
  void add_problem(RowProblem problem, std::string_view begin, int64_t line) {
    place(begin, line, -1);
    problems_.push_back(std::move(problem));
    rows_.back().problem = &problems_.back();
  }

  void hand_over() {
    if (rows_.empty()) return;
    std::size_t at = 0;
    for (RawRow& row : rows_) {  // only now does bytes_ stay where it is
      row.json = std::string_view(bytes_).substr(at, row.json.size());
      at += row.json.size();
    }
    take_(rows_);
    rows_.clear();
    bytes_.clear();
    problems_.clear();
  }

 private:
  void place(std::string_view json, int64_t line, int64_t offset) {
    if (bytes_.size() + json.size() > limit_) hand_over();
    bytes_ += json;
    rows_.push_back({json, line, offset, nullptr});
  }

  std::size_t limit_;
  const std::function<void(const std::vector<RawRow>&)>& take_;
  std::vector<RawRow> rows_;
  std::string bytes_;
  std::deque<RowProblem> problems_;
};

bool is_jsonl(fs::path path) {
  if (path.extension() == ".gz" || path.extension() == ".zst") path.replace_extension();
  return path.extension() == ".jsonl";
}

void batch_lines(const fs::path& path, Batch& batch) {
  const bool holds = holds_rows(path);
  LineReader reader(path);
  Line line;
  while (reader.next(line)) {
    if (line.too_long) {
      batch.add_problem(formats::too_long(), line.text, line.number);
    } else if (line.text.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      batch.add(line.text, line.number, holds ? line.offset : -1);
    }
  }
}

void batch_rows(const fs::path& path, Batch& batch) {
  const RowCallback take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    batch.add(json::dump(row), line, -1);
    return std::nullopt;
  };
  formats::RowTaker taker(path, take,
                          [&](const RowProblem& problem, int64_t line, std::string_view raw) {
                            batch.add_problem(problem, clip_text(raw), line);
                          });
  formats::read_rows(path, {}, taker);
}

std::string_view kind_of(dom::element_type type) {
  switch (type) {
    case dom::element_type::NULL_VALUE:
      return "null";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::ARRAY:
      return "an array";
    case dom::element_type::OBJECT:
      return "an object";
    default:
      return "a number";
  }
}

bool repeats_a_key(const dom::element& element);

bool repeats_a_key(const dom::object& object) {
  constexpr std::size_t kFew = 16;
  std::vector<std::string_view> keys;
  std::size_t few = 0;
  std::array<std::string_view, kFew> first;
  for (const auto field : object) {
    if (repeats_a_key(field.value)) return true;
    if (few < kFew) {
      if (std::find(first.begin(), first.begin() + few, field.key) != first.begin() + few)
        return true;
      first[few++] = field.key;
    } else {
      keys.push_back(field.key);
    }
  }
  if (keys.empty()) return false;
  keys.insert(keys.end(), first.begin(), first.end());
  std::sort(keys.begin(), keys.end());
  return std::adjacent_find(keys.begin(), keys.end()) != keys.end();
}

bool repeats_a_key(const dom::element& element) {
  if (element.is_object()) return repeats_a_key(dom::object(element));
  if (!element.is_array()) return false;
  for (const dom::element item : dom::array(element)) {
    if (repeats_a_key(item)) return true;
  }
  return false;
}

/// The fast parser and the memory it works in, about 14 times the longest row.
class JsonMachine {
 public:
  /// The document of `json`, which lives until the next one, or what is wrong with it.
  std::optional<RowProblem> parse(std::string_view json, dom::element& row) {
    if (padded_.size() < json.size() + simdjson::SIMDJSON_PADDING)
      padded_.resize(json.size() * 5 / 4 + simdjson::SIMDJSON_PADDING);
    if (parser_.capacity() < json.size() || parser_.capacity() == 0) {
      if (parser_.allocate(std::max<std::size_t>(json.size() * 5 / 4, 4096), kMaxDepth)) {
        fail(ErrorKind::resource, "[data.raw_rows]", "no memory to parse a row",
             "end other programs, or make the rows shorter");
      }
    }
    std::memcpy(padded_.data(), json.data(), json.size());
    const auto error = parser_.parse(padded_.data(), json.size(), false).get(row);
    if (error == simdjson::UTF8_ERROR) return RowProblem{"utf8", "not valid UTF-8"};
    if (error == simdjson::DEPTH_ERROR) return RowProblem{"json", "nested more than 64 deep"};
    if (error) return parse_slowly(json, simdjson::error_message(error), row);
    if (repeats_a_key(row)) return RowProblem{"json", "a key stands twice in one object"};
    return std::nullopt;
  }

 private:
  /// Has words for what is wrong, and takes numbers beyond 64 bits, which the fast parser refuses.
  std::optional<RowProblem> parse_slowly(std::string_view json, const char* why,
                                         dom::element& row) {
    json::Value value;
    try {
      value = json::parse(json, "row", {.depth = kMaxDepth});
    } catch (const Error& error) {
      return RowProblem{"json", error.text()};
    }
    const std::string rewritten = json::dump(value);
    if (rewritten == json) return RowProblem{"json", why};
    return parse(rewritten, row);
  }

  dom::parser parser_;
  std::vector<char> padded_;
};

/// Whether a required field says something.
bool is_given(const dom::object& row, const std::string& name) {
  dom::element value;
  std::string_view text;
  if (row.at_key(name).get(value) || value.is_null()) return false;
  return value.get(text) || !text.empty();
}

}  // namespace

struct RowFieldParser::Impl {
  std::string text_field, id_field;
  std::vector<std::string> required_fields;
  JsonMachine machine;
  std::string text;  // of a row that another machine has parsed

  std::optional<RowProblem> parse(JsonMachine& with, std::string_view json, int64_t line,
                                  RowFields& fields) const {
    dom::element row, value;
    if (auto problem = with.parse(json, row)) return problem;
    dom::object object;
    if (row.get(object)) return RowProblem{"not_an_object", "the row is not an object"};
    if (object.at_key(text_field).get(value))
      return field_problem("missing_field", text_field, "missing");
    if (value.get(fields.text)) {
      return field_problem("wrong_type", text_field,
                           "expected a string, found " + std::string(kind_of(value.type())));
    }
    if (std::memchr(fields.text.data(), 0, fields.text.size()) != nullptr)
      return field_problem("nul", text_field, "holds a NUL character");
    const auto missing =
        std::find_if(required_fields.begin(), required_fields.end(),
                     [&](const std::string& name) { return !is_given(object, name); });
    fields.missing = missing == required_fields.end() ? std::string_view() : *missing;
    return read_id(object, line, fields.id);
  }

  std::optional<RowProblem> read_id(const dom::object& row, int64_t line, std::string& id) const {
    dom::element value;
    std::string_view words;
    int64_t number = 0;
    if (row.at_key(id_field).get(value) || value.is_null()) {
      id = std::to_string(line);
    } else if (!value.get(words)) {
      id = words;
    } else if (!value.get(number)) {
      id = std::to_string(number);
    } else {
      return field_problem(
          "wrong_type", id_field,
          "expected a string or an integer, found " + std::string(kind_of(value.type())));
    }
    return std::nullopt;
  }
};

RowFieldParser::RowFieldParser(std::string text_field, std::string id_field,
                               std::vector<std::string> required_fields)
    : impl_(std::make_unique<Impl>()) {
  impl_->text_field = std::move(text_field);
  impl_->id_field = std::move(id_field);
  impl_->required_fields = std::move(required_fields);
}

RowFieldParser::~RowFieldParser() = default;
RowFieldParser::RowFieldParser(RowFieldParser&&) noexcept = default;

std::optional<RowProblem> RowFieldParser::parse(std::string_view json, int64_t line,
                                                RowFields& fields) {
  constexpr std::size_t kBigRow = std::size_t{1} << 20;
  if (impl_->text.capacity() > kBigRow) impl_->text = {};
  if (json.size() <= kBigRow) return impl_->parse(impl_->machine, json, line, fields);
  static std::mutex one_big_row;  // so that the memory of big rows is not needed by every thread
  const std::lock_guard guard(one_big_row);
  JsonMachine machine;
  auto problem = impl_->parse(machine, json, line, fields);
  if (problem) return problem;
  impl_->text = fields.text;
  fields.text = impl_->text;
  return std::nullopt;
}

bool holds_rows(const fs::path& path) { return path.extension() == ".jsonl"; }

void for_each_raw_batch(const fs::path& path, std::size_t batch_bytes,
                        const std::function<void(const std::vector<RawRow>&)>& take) {
  Batch batch(batch_bytes, take);
  if (is_jsonl(path)) {
    batch_lines(path, batch);
  } else {
    batch_rows(path, batch);
  }
  batch.hand_over();
}

}  // namespace cupel

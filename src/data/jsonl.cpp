// A row a line. Also the one place that knows simdjson, so the elements of a .json document are
// cut out here.
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "base/error.h"
#include "data/formats.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace cupel::formats {

namespace {

constexpr std::size_t kMaxDepth = 64;  // as base/json.h allows

/// Recursion is bounded by the parser's depth limit. False: a key stands twice in one object.
bool to_value(simdjson::dom::element element, json::Value& out);

bool to_object(simdjson::dom::object object, json::Value& out) {
  json::Object members;
  members.reserve(object.size());
  for (const auto [key, value] : object) {
    members.emplace_back(std::string(key), json::Value());
    if (!to_value(value, members.back().second)) return false;
  }
  std::vector<std::string_view> keys;
  keys.reserve(members.size());
  for (const json::Member& member : members) keys.push_back(member.first);
  std::sort(keys.begin(), keys.end());
  const bool unique = std::adjacent_find(keys.begin(), keys.end()) == keys.end();
  out = std::move(members);
  return unique;
}

bool to_value(simdjson::dom::element element, json::Value& out) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::OBJECT:
      return to_object(element, out);
    case Type::ARRAY: {
      json::Array items;
      for (const simdjson::dom::element item : simdjson::dom::array(element)) {
        if (!to_value(item, items.emplace_back())) return false;
      }
      out = std::move(items);
      return true;
    }
    case Type::STRING:
      out = std::string_view(element);
      return true;
    case Type::INT64:
      out = int64_t(element);
      return true;
    case Type::UINT64:  // simdjson's name for what int64 cannot hold
      out = static_cast<double>(uint64_t(element));
      return true;
    case Type::DOUBLE:
      out = double(element);
      return true;
    case Type::BOOL:
      out = bool(element);
      return true;
    case Type::NULL_VALUE:
      out = nullptr;
      return true;
  }
  return true;
}

class RowParser {
 public:
  std::optional<RowProblem> parse(std::string_view text, json::Value& row) {
    if (padded_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
      padded_.resize(2 * text.size() + simdjson::SIMDJSON_PADDING);
    }
    if (parser_.capacity() < text.size() || parser_.capacity() == 0) {
      if (parser_.allocate(std::max<std::size_t>(2 * text.size(), 4096), kMaxDepth)) {
        fail(ErrorKind::resource, "[data.jsonl]", "no memory to parse a row",
             "end other programs, or make the rows shorter");
      }
    }
    std::memcpy(padded_.data(), text.data(), text.size());
    simdjson::dom::element element;
    const auto error = parser_.parse(padded_.data(), text.size(), false).get(element);
    if (error == simdjson::UTF8_ERROR) return RowProblem{"utf8", "not valid UTF-8"};
    if (error == simdjson::DEPTH_ERROR) return RowProblem{"json", "nested more than 64 deep"};
    if (error) return slow_parse(text, row);
    if (!to_value(element, row)) return RowProblem{"json", "a key stands twice in one object"};
    return std::nullopt;
  }

 private:
  /// Has words for what is wrong, and takes numbers that simdjson finds too big.
  static std::optional<RowProblem> slow_parse(std::string_view text, json::Value& row) {
    try {
      row = json::parse(text, "row", {.depth = kMaxDepth});
    } catch (const Error& error) {
      return RowProblem{"json", error.text()};
    }
    return std::nullopt;
  }

  simdjson::dom::parser parser_;
  std::vector<char> padded_;
};

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r") == text.npos; }

void take_row(RowParser& parser, const ReadOptions& options, std::string_view text, int64_t line,
              RowTaker& taker) {
  json::Value row;
  std::optional<RowProblem> problem = parser.parse(text, row);
  if (!problem) problem = name_columns(row, options.columns);
  if (problem) {
    taker.reject(*problem, line, text);
  } else {
    taker.take(std::move(row), line, text);
  }
}

namespace ondemand = simdjson::ondemand;

/// The text of one element; the iterator moves past it.
std::string_view raw_text(ondemand::value value) {
  switch (ondemand::json_type(value.type())) {
    case ondemand::json_type::object:
      return value.get_object().value().raw_json();
    case ondemand::json_type::array:
      return value.get_array().value().raw_json();
    default:
      return value.raw_json_token();
  }
}

/// Counts lines up to places that only move forward.
class LineCounter {
 public:
  explicit LineCounter(std::string_view text) : at_(text.data()) {}
  int64_t line_of(const char* place) {
    if (place > at_) {
      line_ += std::count(at_, place, '\n');
      at_ = place;
    }
    return line_;
  }

 private:
  const char* at_;
  int64_t line_ = 1;
};

void take_elements(ondemand::array array, const ReadOptions& options, LineCounter& lines,
                   RowTaker& taker) {
  RowParser parser;
  for (auto element : array) {
    const std::string_view raw = raw_text(element.value());
    const int64_t line = lines.line_of(raw.data());
    if (raw.size() > kMaxRowBytes) {
      taker.reject(too_long(), line, raw);
    } else {
      take_row(parser, options, raw, line, taker);
    }
  }
}

constexpr std::string_view kNamedJsonl =
    "correct the file; one with one object a line must be named .jsonl";

struct Splits {
  bool found = false;  // the one that is asked for
  std::string names;   // of all that are there: members that are lists
};

/// Takes the rows of the member `options.split` of an object of splits.
Splits take_split(ondemand::object members, const ReadOptions& options, LineCounter& lines,
                  RowTaker& taker) {
  Splits splits;
  for (auto field : members) {
    const std::string name(std::string_view(field.unescaped_key()));
    ondemand::value value = field.value();
    const bool rows = value.type() == ondemand::json_type::array;
    if (rows) splits.names += (splits.names.empty() ? "" : ", ") + name;
    if (name != options.split || !rows) continue;
    if (splits.found) {
      fail(ErrorKind::data, taker.name(), "split \"" + name + "\" stands twice",
           "rename one of them");
    }
    splits.found = true;
    take_elements(value.get_array(), options, lines, taker);
  }
  return splits;
}

[[noreturn]] void fail_no_split(const Splits& splits, const std::string& split,
                                const std::string& name) {
  if (splits.names.empty()) {
    fail(ErrorKind::data, name, "is an object without a list of rows", std::string(kNamedJsonl));
  }
  fail(ErrorKind::config, name,
       split.empty() ? "is an object of splits" : "has no split \"" + split + "\"",
       "set split to one of: " + clip_text(splits.names));
}

}  // namespace

void read_jsonl(const std::filesystem::path& path, const ReadOptions& options, RowTaker& taker) {
  LineReader reader(path);
  RowParser parser;
  Line line;
  while (reader.next(line)) {
    if (line.too_long) {
      taker.reject(too_long(), line.number, line.text);
    } else if (!is_blank(line.text)) {
      take_row(parser, options, line.text, line.number, taker);
    }
  }
}

/// The iterator checks the structure between rows; each row's own text is checked when it is
/// parsed.
void read_json_document(std::string text, const ReadOptions& options, RowTaker& taker) {
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  ondemand::parser parser;
  LineCounter lines(text);
  ondemand::document document;
  bool begun = false;  // or the document knows no place
  const auto place = [&] {
    const char* at = text.data();
    if (begun && document.current_location().get(at)) at = text.data();
    return taker.name() + ":" + std::to_string(lines.line_of(at));
  };
  std::optional<Splits> splits;
  try {
    document = parser.iterate(text.data(), text.size(), text.capacity());
    begun = true;
    if (document.type() == ondemand::json_type::object) {
      splits = take_split(document.get_object(), options, lines, taker);
    } else {
      take_elements(document.get_array(), options, lines, taker);
    }
  } catch (const simdjson::simdjson_error& error) {
    fail(ErrorKind::data, place(), std::string("not a JSON array of rows (") + error.what() + ")",
         std::string(kNamedJsonl));
  }
  const char* rest = nullptr;
  if (!document.current_location().get(rest)) {
    fail(ErrorKind::data, place(), "text after the end of the JSON document",
         std::string(kNamedJsonl));
  }
  if (splits && !splits->found) fail_no_split(*splits, options.split, taker.name());
}

}  // namespace cupel::formats

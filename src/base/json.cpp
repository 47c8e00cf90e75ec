#include "base/json.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"

namespace cupel::json {
namespace {

using Parser = nlohmann::json;

const char* type_name(const Value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return "true or false";
  if (value.is_int()) return "an integer";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "text";
  return value.is_array() ? "a list" : "an object";
}

[[noreturn]] void fail_type(std::string_view where, const char* expected, const Value& got) {
  fail(ErrorKind::data, std::string(where),
       std::string("expected ") + expected + ", got " + type_name(got), "correct the value");
}

/// Reads the text byte by byte for the library and remembers how far it got, so that our own
/// complaints have a place too.
struct CountingIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  const char* at;
  const char** reached;
  reference operator*() const { return *at; }
  CountingIterator& operator++() {
    *reached = ++at;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at == other.at; }
  bool operator!=(const CountingIterator& other) const { return at != other.at; }
};

/// Receives the library's events and builds the value; refuses what the library lets pass.
class Builder {
 public:
  Builder(std::string_view text, std::string_view where, Limits limits, const char* const* reached)
      : text_(text), where_(where), limits_(limits), reached_(reached) {}

  bool null() { return put(Value()); }
  bool boolean(bool v) { return put(v); }
  bool number_integer(int64_t v) { return put(v); }
  bool number_unsigned(uint64_t v) {
    if (v <= static_cast<uint64_t>(INT64_MAX)) return put(static_cast<int64_t>(v));
    return put(static_cast<double>(v));
  }
  bool number_float(double v, const std::string&) { return put(v); }
  bool string(std::string& v) { return put(std::move(v)); }
  bool binary(Parser::binary_t&) { return false; }
  bool start_array(std::size_t) { return open(false); }
  bool start_object(std::size_t) { return open(true); }
  bool end_array() { return close(); }
  bool end_object() { return close(); }

  bool key(std::string& name) {
    Frame& frame = frames_.back();
    if (!frame.keys.insert(name).second) {
      refuse(offset(), "duplicate key \"" + clip(name, 80) + "\"", "keep one of the two");
    }
    frame.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Parser::exception& error) {
    // "[json…101] parse error at line 1, column 2: syntax error while parsing value - <what>"
    const std::string text = error.what();
    std::size_t begin = text.find(" - ");
    begin = begin == std::string::npos ? text.find("] ") + 2 : begin + 3;
    refuse(position > 0 ? position - 1 : 0,
           "not well-formed JSON: " + clip(text.substr(begin), 200), "correct the file");
  }

  Value take() { return std::move(root_); }

 private:
  struct Frame {
    bool is_object;
    Array array;
    Object object;
    std::string key;
    std::unordered_set<std::string> keys;
  };

  std::size_t offset() const {
    const auto read = static_cast<std::size_t>(*reached_ - text_.data());
    return read > 0 ? read - 1 : 0;
  }

  [[noreturn]] void refuse(std::size_t at, std::string text, std::string hint) const {
    fail(ErrorKind::data, std::string(where_) + ":" + line_and_column(text_, at), std::move(text),
         std::move(hint));
  }

  bool open(bool is_object) {
    if (static_cast<int>(frames_.size()) >= limits_.depth) {
      refuse(offset(), "nested more than " + std::to_string(limits_.depth) + " levels deep",
             "flatten the value");
    }
    frames_.push_back({is_object, {}, {}, {}, {}});
    return true;
  }

  bool close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    return frame.is_object ? put(std::move(frame.object)) : put(std::move(frame.array));
  }

  bool put(Value value) {
    if (frames_.empty()) {
      root_ = std::move(value);
    } else if (Frame& frame = frames_.back(); frame.is_object) {
      frame.object.emplace_back(std::move(frame.key), std::move(value));
    } else {
      frame.array.push_back(std::move(value));
    }
    return true;
  }

  std::string_view text_, where_;
  Limits limits_;
  const char* const* reached_;
  std::vector<Frame> frames_;
  Value root_;
};

void append_string(std::string& out, const std::string& text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
  });
  if (plain) {
    out.append(1, '"').append(text).append(1, '"');
  } else {
    out += Parser(text).dump(-1, ' ', false, Parser::error_handler_t::replace);
  }
}

void append_break(std::string& out, int indent, int level) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(level), ' ');
}

void append(std::string& out, const Value& value, int indent, int level) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool("") ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.as_int(""));
  } else if (value.is_number()) {
    const double number = value.as_double("");
    out += std::isfinite(number) ? shortest(number) : "null";
  } else if (value.is_string()) {
    append_string(out, value.as_string(""));
  } else {
    const bool is_array = value.is_array();
    const auto each = [&](const auto& items, auto&& append_item) {
      out += is_array ? '[' : '{';
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ',';
        append_break(out, indent, level + 1);
        append_item(items[i]);
      }
      if (!items.empty()) append_break(out, indent, level);
      out += is_array ? ']' : '}';
    };
    if (is_array) {
      each(value.as_array(""), [&](const Value& item) { append(out, item, indent, level + 1); });
      return;
    }
    each(value.as_object(""), [&](const Member& member) {
      append_string(out, member.first);
      out += indent < 0 ? ":" : ": ";
      append(out, member.second, indent, level + 1);
    });
  }
}

}  // namespace

bool Value::as_bool(std::string_view where) const {
  if (const bool* v = std::get_if<bool>(&data_)) return *v;
  fail_type(where, "true or false", *this);
}

int64_t Value::as_int(std::string_view where) const {
  if (const int64_t* v = std::get_if<int64_t>(&data_)) return *v;
  if (const double* v = std::get_if<double>(&data_)) {
    if (std::abs(*v) < 0x1p63 && std::trunc(*v) == *v) return static_cast<int64_t>(*v);
  }
  fail_type(where, "an integer", *this);
}

double Value::as_double(std::string_view where) const {
  if (const double* v = std::get_if<double>(&data_)) return *v;
  if (const int64_t* v = std::get_if<int64_t>(&data_)) return static_cast<double>(*v);
  fail_type(where, "a number", *this);
}

const std::string& Value::as_string(std::string_view where) const {
  if (const std::string* v = std::get_if<std::string>(&data_)) return *v;
  fail_type(where, "text", *this);
}

const Array& Value::as_array(std::string_view where) const {
  if (const Array* v = std::get_if<Array>(&data_)) return *v;
  fail_type(where, "a list", *this);
}

const Object& Value::as_object(std::string_view where) const {
  if (const Object* v = std::get_if<Object>(&data_)) return *v;
  fail_type(where, "an object", *this);
}

const Value* Value::find(std::string_view key) const {
  const Object* object = std::get_if<Object>(&data_);
  if (!object) return nullptr;
  for (const auto& [name, value] : *object) {
    if (name == key) return &value;
  }
  return nullptr;
}

const Value& Value::at(std::string_view key, std::string_view where) const {
  as_object(where);
  if (const Value* value = find(key)) return *value;
  fail(ErrorKind::data, std::string(where), "missing key \"" + std::string(key) + "\"", "add it");
}

void Value::set(std::string key, Value value) {
  if (is_null()) data_ = Object{};
  Object* object = std::get_if<Object>(&data_);
  CUPEL_ASSERT(object != nullptr);
  for (auto& [name, old] : *object) {
    if (name == key) {
      old = std::move(value);
      return;
    }
  }
  object->emplace_back(std::move(key), std::move(value));
}

Value parse(std::string_view text, std::string_view where, Limits limits) {
  if (text.size() > limits.bytes) {
    fail(ErrorKind::data, std::string(where),
         std::to_string(text.size()) + " bytes of JSON, more than the limit of " +
             std::to_string(limits.bytes),
         "split the file");
  }
  const char* reached = text.data();
  Builder builder(text, where, limits, &reached);
  Parser::sax_parse(CountingIterator{text.data(), &reached},
                    CountingIterator{text.data() + text.size(), &reached}, &builder);
  return builder.take();
}

std::string dump(const Value& value, int indent) {
  std::string out;
  append(out, value, indent, 0);
  return out;
}

}  // namespace cupel::json

// JSON values with typed access; the parser refuses duplicate keys, deep nesting and invalid UTF-8.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cupel::json {

class Value;
using Array = std::vector<Value>;
using Member = std::pair<std::string, Value>;
using Object = std::vector<Member>;  // in the order of the text; keys are unique

/// Integers that fit int64 stay integers; every other number is a double.
class Value {
 public:
  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool v) : data_(v) {}
  Value(int v) : data_(static_cast<int64_t>(v)) {}
  Value(int64_t v) : data_(v) {}
  Value(double v) : data_(v) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(std::string_view v) : data_(std::string(v)) {}
  Value(Array v) : data_(std::move(v)) {}
  Value(Object v) : data_(std::move(v)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_int() const { return std::holds_alternative<int64_t>(data_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  /// Typed access; `where` names the value in the Error{data} that a wrong type or range causes.
  bool as_bool(std::string_view where) const;
  int64_t as_int(std::string_view where) const;  // a double with an integral value is accepted
  double as_double(std::string_view where) const;
  const std::string& as_string(std::string_view where) const;
  const Array& as_array(std::string_view where) const;
  const Object& as_object(std::string_view where) const;

  /// The member, or null pointer; at() throws Error{data} "where: missing key".
  const Value* find(std::string_view key) const;
  const Value& at(std::string_view key, std::string_view where) const;
  /// Sets or replaces a member; a null value becomes an object first.
  void set(std::string key, Value value);

  bool operator==(const Value&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> data_;
};

struct Limits {
  int depth = 64;
  std::size_t bytes = std::size_t{1} << 30;
};

/// Throws Error{data} "where:line:column: …" on anything but one well-formed document.
Value parse(std::string_view text, std::string_view where, Limits limits = {});

/// Doubles print as the shortest text that reads back equal; inf and nan, which JSON lacks, as
/// null. indent < 0: one line.
std::string dump(const Value& value, int indent = -1);

}  // namespace cupel::json

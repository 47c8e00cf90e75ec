// Values of a template: Python's, as far as templates see them. All but namespaces are immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cupel::jinja {

struct Function;
struct Loop;
struct Namespace;
struct Value;
using List = std::vector<Value>;
using Pairs =
    std::vector<std::pair<Value, Value>>;  // of a dict: keys unique, in order of insertion

enum class Kind : uint8_t {
  undefined,  // prints nothing, is false; `text` says what is missing
  none,
  boolean,
  integer,
  number,
  string,  // UTF-8; lengths and positions count code points, as Python's do
  list,
  tuple,
  dict,
  space,  // namespace()
  loop,   // the variable of that name in a for loop
  function
};

/// A handle: what it points at belongs to a Machine, or to the JSON value that it was made of.
struct Value {
  Kind kind = Kind::undefined;
  union {
    bool boolean;
    int64_t integer;
    double number;
    const std::string* text = nullptr;
    const List* items;
    const Pairs* pairs;
    Namespace* space;
    const Loop* loop;
    const Function* function;
  };

  static Value of_none() { return with(Kind::none); }
  static Value of(bool value);
  static Value of(int64_t value);
  static Value of(double value);
  static Value of(const std::string* value, Kind kind = Kind::string);
  static Value of(const std::string&&) = delete;  // would not live

  bool is(Kind other) const { return kind == other; }
  bool is_sequence() const { return kind == Kind::list || kind == Kind::tuple; }
  /// Integers count True and False among them, as in Python.
  bool is_integral() const { return kind == Kind::integer || kind == Kind::boolean; }
  bool is_numeric() const { return is_integral() || kind == Kind::number; }
  int64_t as_integer() const { return kind == Kind::boolean ? boolean : integer; }
  double as_number() const;

 private:
  static Value with(Kind kind);
};

struct Namespace {
  std::vector<std::pair<std::string, Value>> members;
};

/// Where a for loop stands.
struct Loop {
  const List* items = nullptr;
  std::size_t index = 0;
  int64_t depth = 1;
};

/// Something that can be called: a function of ours, a method of `self`, a macro.
struct Function {
  enum class Of { global, method, macro };
  Of of = Of::global;
  std::string_view name;
  Value self{};
  const void* macro = nullptr;  // a Statement
  void* scope = nullptr;        // where a macro was defined
};

/// Python's truth: empty, zero, none and undefined are false.
bool is_true(const Value& value);

/// As error messages name it: "str", "list", "dict", …
std::string_view type_name(const Value& value);

}  // namespace cupel::jinja

#include "data/jinja/value.h"

namespace cupel::jinja {

Value Value::with(Kind kind) {
  Value value;
  value.kind = kind;
  return value;
}

Value Value::of(bool value) {
  Value out = with(Kind::boolean);
  out.boolean = value;
  return out;
}

Value Value::of(int64_t value) {
  Value out = with(Kind::integer);
  out.integer = value;
  return out;
}

Value Value::of(double value) {
  Value out = with(Kind::number);
  out.number = value;
  return out;
}

Value Value::of(const std::string* value, Kind kind) {
  Value out = with(kind);
  out.text = value;
  return out;
}

double Value::as_number() const {
  return kind == Kind::number ? number : static_cast<double>(as_integer());
}

bool is_true(const Value& value) {
  switch (value.kind) {
    case Kind::undefined:
    case Kind::none:
      return false;
    case Kind::boolean:
      return value.boolean;
    case Kind::integer:
      return value.integer != 0;
    case Kind::number:
      return value.number != 0;
    case Kind::string:
      return !value.text->empty();
    case Kind::list:
    case Kind::tuple:
      return !value.items->empty();
    case Kind::dict:
      return !value.pairs->empty();
    case Kind::space:
    case Kind::loop:
    case Kind::function:
      return true;
  }
  return false;
}

std::string_view type_name(const Value& value) {
  switch (value.kind) {
    case Kind::undefined:
      return "Undefined";
    case Kind::none:
      return "None";
    case Kind::boolean:
      return "bool";
    case Kind::integer:
      return "int";
    case Kind::number:
      return "float";
    case Kind::string:
      return "str";
    case Kind::list:
      return "list";
    case Kind::tuple:
      return "tuple";
    case Kind::dict:
      return "dict";
    case Kind::space:
      return "namespace";
    case Kind::loop:
      return "loop";
    case Kind::function:
      return "function";
  }
  return "";
}

}  // namespace cupel::jinja

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/jinja/operators.h"
#include "data/jinja/write.h"

namespace cupel::jinja {
namespace {

[[noreturn]] void refuse_types(Machine& machine, const Value& a, std::string_view name,
                               const Value& b) {
  for (const Value& value : {a, b}) {
    if (value.is(Kind::undefined)) machine.refuse(*value.text, "it cannot be computed with");
  }
  machine.refuse("\"" + std::string(name) + "\" does not work on \"" + std::string(type_name(a)) +
                 "\" and \"" + std::string(type_name(b)) + "\"");
}

[[noreturn]] void refuse_overflow(Machine& machine) {
  machine.refuse("a whole number leaves the range of 64 bits");
}

/// Rounded towards minus infinity, as Python's // and % are. b is not 0.
int64_t floor_divide(Machine& machine, int64_t a, int64_t b) {
  if (a == std::numeric_limits<int64_t>::min() && b == -1) refuse_overflow(machine);
  const int64_t quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

Value power(Machine& machine, int64_t base, int64_t exponent) {
  if (exponent < 0) {
    if (base == 0) machine.refuse("division by zero");
    return Value::of(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
  int64_t result = 1;
  if (base == 0 || base == 1) return Value::of(exponent == 0 ? int64_t{1} : base);
  if (base == -1) return Value::of(exponent % 2 == 0 ? int64_t{1} : int64_t{-1});
  for (; exponent > 0; --exponent) {  // at most 63 times
    if (__builtin_mul_overflow(result, base, &result)) refuse_overflow(machine);
  }
  return Value::of(result);
}

Value on_integers(Machine& machine, int64_t a, std::string_view name, int64_t b) {
  int64_t out = 0;
  bool overflow = false;
  if (name == "+") {
    overflow = __builtin_add_overflow(a, b, &out);
  } else if (name == "-") {
    overflow = __builtin_sub_overflow(a, b, &out);
  } else if (name == "*") {
    overflow = __builtin_mul_overflow(a, b, &out);
  } else if (name == "**") {
    return power(machine, a, b);
  } else {
    if (b == 0) machine.refuse("division by zero");
    if (name == "/") return Value::of(static_cast<double>(a) / static_cast<double>(b));
    out = floor_divide(machine, a, b);
    if (name == "%") out = a - out * b;
  }
  if (overflow) refuse_overflow(machine);
  return Value::of(out);
}

Value on_numbers(Machine& machine, double a, std::string_view name, double b) {
  if (name == "+") return Value::of(a + b);
  if (name == "-") return Value::of(a - b);
  if (name == "*") return Value::of(a * b);
  if (name == "**") {
    const double out = std::pow(a, b);
    if (a == 0 && b < 0) machine.refuse("division by zero");
    if (std::isnan(out) && !std::isnan(a) && !std::isnan(b))
      machine.refuse("a power of a negative number is no real number");
    return Value::of(out);
  }
  if (b == 0) machine.refuse("division by zero");
  if (name == "/") return Value::of(a / b);
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  if (name == "%") return Value::of(rest == 0 ? std::copysign(0.0, b) : rest);
  return Value::of(std::round((a - rest) / b));
}

Value repeat(Machine& machine, const Value& value, int64_t times) {
  const auto count = static_cast<std::size_t>(std::max<int64_t>(times, 0));
  const std::size_t size = value.is(Kind::string) ? value.text->size() : value.items->size();
  if (size > 0 && count > machine.limits().memory / size)
    machine.take_memory(machine.limits().memory + 1);
  if (value.is(Kind::string)) {
    std::string out;
    machine.take_memory(count * size);
    for (std::size_t i = 0; size > 0 && i < count; ++i) out += *value.text;
    return machine.string(std::move(out));
  }
  List out;
  machine.take_memory(count * size * sizeof(Value));
  machine.spend(count * size);
  for (std::size_t i = 0; size > 0 && i < count; ++i)
    out.insert(out.end(), value.items->begin(), value.items->end());
  return value.is(Kind::list) ? machine.list(std::move(out)) : machine.tuple(std::move(out));
}

Value join(Machine& machine, const Value& a, const Value& b) {
  if (a.is(Kind::string)) {
    machine.take_memory(a.text->size() + b.text->size());
    return machine.string(*a.text + *b.text);
  }
  machine.take_memory((a.items->size() + b.items->size()) * sizeof(Value));
  List items = *a.items;
  items.insert(items.end(), b.items->begin(), b.items->end());
  return a.is(Kind::list) ? machine.list(std::move(items)) : machine.tuple(std::move(items));
}

}  // namespace

Value arithmetic(Machine& machine, const Value& a, std::string_view name, const Value& b) {
  if (a.is_integral() && b.is_integral())
    return on_integers(machine, a.as_integer(), name, b.as_integer());
  if (a.is_numeric() && b.is_numeric())
    return on_numbers(machine, a.as_number(), name, b.as_number());
  const auto repeats = [](const Value& value) {
    return value.is(Kind::string) || value.is_sequence();
  };
  if (name == "+" && a.kind == b.kind && repeats(a)) return join(machine, a, b);
  if (name == "*" && repeats(a) && b.is_integral()) return repeat(machine, a, b.as_integer());
  if (name == "*" && repeats(b) && a.is_integral()) return repeat(machine, b, a.as_integer());
  if (name == "%" && a.is(Kind::string))
    return format_percent(machine, *a.text, b.is(Kind::tuple) ? *b.items : List{b});
  refuse_types(machine, a, name, b);
}

Value negate(Machine& machine, const Value& value) {
  if (value.is(Kind::number)) return Value::of(-value.number);
  if (!value.is_integral()) refuse_types(machine, Value::of(int64_t{0}), "-", value);
  return on_integers(machine, 0, "-", value.as_integer());
}

Value format_percent(Machine& machine, const std::string& format, const List& values) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const char kind = i + 1 < format.size() ? format[++i] : ' ';
    if (kind == '%') {
      out += '%';
      continue;
    }
    if (kind != 's' && kind != 'd' && kind != 'r')
      machine.refuse("of %-formats only %s, %d, %r and %% are supported");
    if (used == values.size()) machine.refuse("a %-format has too few values");
    const Value& value = values[used++];
    if (kind == 'd' && !value.is_numeric()) machine.refuse("%d needs a number");
    out += kind == 's'           ? to_text(machine, value)
           : kind == 'r'         ? to_repr(machine, value)
           : value.is_integral() ? std::to_string(value.as_integer())
                                 : to_text(machine, Value::of(static_cast<int64_t>(value.number)));
  }
  if (used != values.size()) machine.refuse("a %-format has too many values");
  return machine.string(std::move(out));
}

}  // namespace cupel::jinja

#include <algorithm>
#include <array>
#include <string>

#include "data/jinja/filters.h"
#include "data/jinja/operators.h"
#include "data/jinja/text_methods.h"
#include "data/jinja/write.h"

namespace cupel::jinja {
namespace {

bool is_type(std::string_view name, const Value& value) {
  if (name == "defined") return !value.is(Kind::undefined);
  if (name == "undefined") return value.is(Kind::undefined);
  if (name == "none") return value.is(Kind::none);
  if (name == "boolean") return value.is(Kind::boolean);
  if (name == "true") return value.is(Kind::boolean) && value.boolean;
  if (name == "false") return value.is(Kind::boolean) && !value.boolean;
  if (name == "integer") return value.is(Kind::integer);
  if (name == "float") return value.is(Kind::number);
  if (name == "number") return value.is_numeric();
  if (name == "string") return value.is(Kind::string);
  if (name == "mapping") return value.is(Kind::dict);
  // Python can call an undefined value, and go through it.
  if (name == "callable") return value.is(Kind::function) || value.is(Kind::undefined);
  const bool sequence = value.is_sequence() || value.is(Kind::string) || value.is(Kind::dict) ||
                        value.is(Kind::undefined);
  return sequence || (name == "iterable" && value.is(Kind::loop));
}

constexpr std::array<std::string_view, 14> kTypes{
    "defined", "undefined", "none",   "boolean", "true",     "false",    "integer",
    "float",   "number",    "string", "mapping", "callable", "iterable", "sequence"};

struct Comparison {
  std::string_view name, operation;
};
constexpr std::array kComparisons{
    Comparison{"eq", "=="},         Comparison{"equalto", "=="}, Comparison{"==", "=="},
    Comparison{"ne", "!="},         Comparison{"!=", "!="},      Comparison{"lt", "<"},
    Comparison{"lessthan", "<"},    Comparison{"<", "<"},        Comparison{"gt", ">"},
    Comparison{"greaterthan", ">"}, Comparison{">", ">"},        Comparison{"le", "<="},
    Comparison{"<=", "<="},         Comparison{"ge", ">="},      Comparison{">=", ">="},
    Comparison{"in", "in"}};

bool is_same(Machine& machine, const Value& a, const Value& b) {
  if (a.kind != b.kind) return false;
  if (a.is_sequence()) return a.items == b.items;
  if (a.is(Kind::dict)) return a.pairs == b.pairs;
  return equal(machine, a, b);
}

bool is_divisible(Machine& machine, const Value& value, const Value& by) {
  return !is_true(arithmetic(machine, value, "%", by));
}

bool is_cased(Machine& machine, std::string_view name, const Value& value) {
  return call_text_method(machine, to_text(machine, value), name == "upper" ? "isupper" : "islower",
                          {})
      .boolean;
}

}  // namespace

bool apply_test(Machine& machine, std::string_view name, const Value& input,
                const Arguments& arguments) {
  machine.spend(1);
  if (std::ranges::find(kTypes, name) != kTypes.end()) {
    bind_arguments(machine, name, arguments, "");
    return is_type(name, input);
  }
  const auto comparison = std::ranges::find(kComparisons, name, &Comparison::name);
  if (comparison != kComparisons.end()) {
    const Bound bound = bind_arguments(machine, name, arguments, "other", 1);
    return compare(machine, input, comparison->operation, *bound[0]);
  }
  if (name == "sameas")
    return is_same(machine, input, *bind_arguments(machine, name, arguments, "other", 1)[0]);
  if (name == "divisibleby")
    return is_divisible(machine, input, *bind_arguments(machine, name, arguments, "num", 1)[0]);
  if (name == "even" || name == "odd") {
    bind_arguments(machine, name, arguments, "");
    return is_divisible(machine, input, Value::of(int64_t{2})) == (name == "even");
  }
  if (name == "upper" || name == "lower") {
    bind_arguments(machine, name, arguments, "");
    return is_cased(machine, name, input);
  }
  std::string known = "sameas, divisibleby, even, odd, upper, lower";
  for (const std::string_view each : kTypes) known += ", " + std::string(each);
  for (const Comparison& each : kComparisons) known += ", " + std::string(each.name);
  machine.refuse("unknown test \"" + std::string(name) + "\"", "known: " + known);
}

}  // namespace cupel::jinja

#include "data/jinja/filters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "data/jinja/operators.h"
#include "data/jinja/text.h"
#include "data/jinja/text_methods.h"
#include "data/jinja/write.h"

namespace cupel::jinja {
namespace {

Value filter_case(Machine& machine, std::string_view name, const Value& input,
                  const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  const std::string text = to_text(machine, input);
  return machine.string(name == "upper"   ? upper(text)
                        : name == "lower" ? lower(text)
                        : name == "title" ? title_filter(text)
                                          : capitalize(text));
}

Value filter_trim(Machine& machine, std::string_view name, const Value& input,
                  const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "chars");
  const bool blank = !bound[0] || bound[0]->is(Kind::none);
  const std::string text = to_text(machine, input);
  const std::string& set = blank ? kEmpty : text_argument(machine, bound[0], kEmpty);
  if (!blank && set.empty()) return machine.string(text);
  return machine.string(std::string(strip(text, set, true, true)));
}

/// string, safe: nothing is escaped here, so both are str().
Value filter_string(Machine& machine, std::string_view name, const Value& input,
                    const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  return input.is(Kind::string) ? input : machine.string(to_text(machine, input));
}

Value filter_replace(Machine& machine, std::string_view name, const Value& input,
                     const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "old new count", 2);
  const bool all = !bound[2] || bound[2]->is(Kind::none);
  return machine.string(replace_within(machine, to_text(machine, input),
                                       to_text(machine, *bound[0]), to_text(machine, *bound[1]),
                                       all ? -1 : integer_argument(machine, bound[2], -1)));
}

Value filter_format(Machine& machine, std::string_view name, const Value& input,
                    const Arguments& arguments) {
  if (!arguments.named.empty()) machine.refuse(std::string(name) + ": takes no named arguments");
  return format_percent(machine, to_text(machine, input), arguments.positional);
}

Value filter_indent(Machine& machine, std::string_view name, const Value& input,
                    const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "width first blank");
  const bool text_width = bound[0] && bound[0]->is(Kind::string);
  const int64_t width = text_width ? 0 : integer_argument(machine, bound[0], 4);
  machine.take_memory(static_cast<std::size_t>(std::max<int64_t>(width, 0)));
  const std::string step =
      text_width ? *bound[0]->text
                 : std::string(static_cast<std::size_t>(std::max<int64_t>(width, 0)), ' ');
  const std::string text = to_text(machine, input) + "\n";
  std::string out;
  bool first = true;
  for (const std::string_view line : split_lines(text, false)) {
    if (!first) out += '\n';
    const bool indented =
        first ? truth_argument(bound[1], false) : truth_argument(bound[2], false) || !line.empty();
    machine.take_memory(line.size() + (indented ? step.size() : 0));
    if (indented) out += step;
    out += line;
    first = false;
  }
  return machine.string(std::move(out));
}

Value filter_default(Machine& machine, std::string_view name, const Value& input,
                     const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "default_value boolean");
  const bool replaced =
      input.is(Kind::undefined) || (truth_argument(bound[1], false) && !is_true(input));
  if (!replaced) return input;
  return bound[0] ? *bound[0] : machine.string("");
}

/// A whole text as a number; nothing if it is none. Blanks around it are allowed.
template <class Number>
std::optional<Number> parse(std::string_view text, int base) {
  text = strip(text, "", true, true);
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  std::from_chars_result result{};
  if constexpr (std::is_same_v<Number, double>) {
    result = std::from_chars(text.data(), text.data() + text.size(), value);
  } else {
    result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  }
  const bool whole = result.ec == std::errc() && result.ptr == text.data() + text.size();
  return whole && !text.empty() ? std::optional(value) : std::nullopt;
}

Value filter_int(Machine& machine, std::string_view name, const Value& input,
                 const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "default base");
  const Value otherwise = bound[0].value_or(Value::of(int64_t{0}));
  const int64_t base = integer_argument(machine, bound[1], 10);
  if (base < 2 || base > 36) machine.refuse("int: the base is not in 2 to 36");
  if (input.is_integral()) return Value::of(input.as_integer());
  double number = input.number;
  if (input.is(Kind::string)) {
    if (const auto whole = parse<int64_t>(*input.text, static_cast<int>(base)))
      return Value::of(*whole);
    const auto real = parse<double>(*input.text, 10);
    if (!real) return otherwise;
    number = *real;
  } else if (!input.is(Kind::number)) {
    return otherwise;
  }
  if (!(std::fabs(number) < 0x1p63)) return otherwise;
  return Value::of(static_cast<int64_t>(number));
}

Value filter_float(Machine& machine, std::string_view name, const Value& input,
                   const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "default");
  if (input.is_numeric()) return Value::of(input.as_number());
  if (input.is(Kind::string)) {
    if (const auto real = parse<double>(*input.text, 10)) return Value::of(*real);
  }
  return bound[0].value_or(Value::of(0.0));
}

double number_of(Machine& machine, std::string_view name, const Value& value) {
  if (!value.is_numeric()) machine.refuse(std::string(name) + ": needs a number");
  return value.as_number();
}

Value filter_round(Machine& machine, std::string_view name, const Value& input,
                   const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "precision method");
  const int64_t precision = integer_argument(machine, bound[0], 0);
  const std::string common = "common";
  const std::string& method = text_argument(machine, bound[1], common);
  const double value = number_of(machine, name, input);
  if (precision < 0 || precision > 300) machine.refuse("round: the precision is not in 0 to 300");
  if (method == "common") {
    if (input.is_integral()) return Value::of(input.as_integer());
    char buffer[640];  // 309 digits before the point, 300 behind
    std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), value);
    return Value::of(std::strtod(buffer, nullptr));
  }
  if (method != "ceil" && method != "floor")
    machine.refuse("round: the method is common, ceil or floor");
  const double scale = std::pow(10.0, static_cast<double>(precision));
  return Value::of((method == "ceil" ? std::ceil(value * scale) : std::floor(value * scale)) /
                   scale);
}

Value filter_abs(Machine& machine, std::string_view name, const Value& input,
                 const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  if (input.is_integral())
    return input.as_integer() < 0 ? negate(machine, input) : Value::of(input.as_integer());
  return Value::of(std::fabs(number_of(machine, name, input)));
}

Value filter_json(Machine& machine, std::string_view name, const Value& input,
                  const Arguments& arguments) {
  const Bound bound =
      bind_arguments(machine, name, arguments, "ensure_ascii indent separators sort_keys");
  JsonStyle style;
  style.ascii = truth_argument(bound[0], false);
  style.sort_keys = truth_argument(bound[3], false);
  if (bound[1] && bound[1]->is(Kind::string)) {
    style.indent = *bound[1]->text;
  } else if (bound[1] && !bound[1]->is(Kind::none)) {
    const int64_t width = std::max<int64_t>(integer_argument(machine, bound[1], 0), 0);
    machine.take_memory(static_cast<std::size_t>(width));
    style.indent = std::string(static_cast<std::size_t>(width), ' ');
  }
  if (bound[2] && !bound[2]->is(Kind::none)) {
    const List& separators = items_of(machine, *bound[2]);
    if (separators.size() != 2) machine.refuse("tojson: separators are two strings");
    style.item_separator = text_argument(machine, separators[0], kEmpty);
    style.key_separator = text_argument(machine, separators[1], kEmpty);
  }
  return machine.string(to_json(machine, input, style));
}

constexpr std::array kFilters{
    FilterRow{"upper", filter_case},      FilterRow{"lower", filter_case},
    FilterRow{"title", filter_case},      FilterRow{"capitalize", filter_case},
    FilterRow{"trim", filter_trim},       FilterRow{"string", filter_string},
    FilterRow{"safe", filter_string},     FilterRow{"replace", filter_replace},
    FilterRow{"format", filter_format},   FilterRow{"indent", filter_indent},
    FilterRow{"default", filter_default}, FilterRow{"d", filter_default},
    FilterRow{"int", filter_int},         FilterRow{"float", filter_float},
    FilterRow{"round", filter_round},     FilterRow{"abs", filter_abs},
    FilterRow{"tojson", filter_json}};

}  // namespace

Value apply_filter(Machine& machine, std::string_view name, const Value& input,
                   const Arguments& arguments) {
  machine.spend(1);
  const Deeper deeper(machine);
  const auto row = std::ranges::find(kFilters, name, &FilterRow::name);
  const FilterRow* found = row != kFilters.end() ? &*row : find_sequence_filter(name);
  if (found != nullptr) return found->apply(machine, found->name, input, arguments);
  std::string known;
  for (const FilterRow& each : kFilters) known += std::string(each.name) + ", ";
  machine.refuse("unknown filter \"" + std::string(name) + "\"",
                 "known: " + known + std::string(sequence_filter_names()));
}

}  // namespace cupel::jinja

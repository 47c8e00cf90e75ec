#include <algorithm>
#include <array>

#include "data/jinja/filters.h"
#include "data/jinja/operators.h"
#include "data/jinja/text.h"
#include "data/jinja/write.h"

namespace cupel::jinja {
namespace {

Value filter_length(Machine& machine, std::string_view name, const Value& input,
                    const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  const auto length = length_of(machine, input);
  if (!length) machine.refuse("\"" + std::string(type_name(input)) + "\" has no length");
  return Value::of(*length);
}

Value filter_list(Machine& machine, std::string_view name, const Value& input,
                  const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  return machine.list(items_of(machine, input));
}

Value filter_end(Machine& machine, std::string_view name, const Value& input,
                 const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  const List& items = items_of(machine, input);
  if (items.empty()) return machine.undefined("there is no " + std::string(name) + " item");
  return name == "first" ? items.front() : items.back();
}

/// item.a.b of "a.b", as a path of the filters map, selectattr, join and sort. Parts that are
/// numbers are positions.
Value path_of(Machine& machine, const Value& input, const Value& path,
              const std::optional<Value>& otherwise = std::nullopt) {
  if (path.is_integral()) return item(machine, input, path);
  Value value = input;
  for (const std::string_view part : split(text_argument(machine, path, kEmpty), ".", -1, false)) {
    const bool digits = !part.empty() && part.size() < 18 &&
                        std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
    value = item(machine, value,
                 digits ? Value::of(int64_t{std::stoll(std::string(part))})
                        : machine.string(std::string(part)));
    if (otherwise && value.is(Kind::undefined)) value = *otherwise;
  }
  return value;
}

Value filter_join(Machine& machine, std::string_view name, const Value& input,
                  const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "d attribute");
  const std::string separator = bound[0] ? to_text(machine, *bound[0]) : "";
  std::string out;
  bool first = true;
  for (const Value& each : items_of(machine, input)) {
    if (!first) out += separator;
    first = false;
    const std::string text = to_text(machine, bound[1] ? path_of(machine, each, *bound[1]) : each);
    machine.take_memory(text.size() + separator.size());
    out += text;
  }
  return machine.string(std::move(out));
}

Value filter_map(Machine& machine, std::string_view name, const Value& input,
                 const Arguments& arguments) {
  List out;
  if (arguments.positional.empty()) {
    const Bound bound = bind_arguments(machine, name, arguments, "attribute default", 1);
    for (const Value& each : items_of(machine, input))
      out.push_back(path_of(machine, each, *bound[0], bound[1]));
  } else {
    Arguments rest = arguments;
    const std::string& filter = text_argument(machine, rest.positional[0], kEmpty);
    rest.positional.erase(rest.positional.begin());
    for (const Value& each : items_of(machine, input))
      out.push_back(apply_filter(machine, filter, each, rest));
  }
  return machine.list(std::move(out));
}

/// select, reject, selectattr, rejectattr: by a test's name and arguments, or by truth.
Value filter_select(Machine& machine, std::string_view name, const Value& input,
                    const Arguments& arguments) {
  const bool by_attribute = name.ends_with("attr");
  const bool wanted = name.starts_with("select");
  Arguments rest = arguments;
  std::optional<Value> path;
  const auto take = [&] {
    const Value value = rest.positional.front();
    rest.positional.erase(rest.positional.begin());
    return value;
  };
  if (by_attribute) {
    if (rest.positional.empty())
      machine.refuse(std::string(name) + ": missing argument \"attribute\"");
    path = take();
  }
  std::optional<Value> test;
  if (!rest.positional.empty()) test = take();
  List out;
  for (const Value& each : items_of(machine, input)) {
    machine.spend(1);
    const Value value = path ? path_of(machine, each, *path) : each;
    const bool passes = test
                            ? apply_test(machine, text_argument(machine, test, kEmpty), value, rest)
                            : is_true(value);
    if (passes == wanted) out.push_back(each);
  }
  return machine.list(std::move(out));
}

/// What items are compared by: without capitals, unless asked for.
Value sort_key(Machine& machine, const Value& value, const std::optional<Value>& path,
               bool with_case) {
  const Value key = path && !path->is(Kind::none) ? path_of(machine, value, *path) : value;
  return key.is(Kind::string) && !with_case ? machine.string(lower(*key.text)) : key;
}

struct Keyed {
  Value key, value;
};

std::vector<Keyed> with_keys(Machine& machine, const List& items, const std::optional<Value>& path,
                             bool with_case) {
  std::vector<Keyed> out;
  for (const Value& value : items)
    out.push_back({sort_key(machine, value, path, with_case), value});
  return out;
}

void sort_by_key(Machine& machine, std::vector<Keyed>& items, bool reverse) {
  std::ranges::stable_sort(items, [&](const Keyed& a, const Keyed& b) {
    const int sign = order(machine, a.key, b.key);
    return reverse ? sign > 0 : sign < 0;
  });
}

Value filter_sort(Machine& machine, std::string_view name, const Value& input,
                  const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "reverse case_sensitive attribute");
  std::vector<Keyed> items =
      with_keys(machine, items_of(machine, input), bound[2], truth_argument(bound[1], false));
  sort_by_key(machine, items, truth_argument(bound[0], false));
  List out;
  for (const Keyed& each : items) out.push_back(each.value);
  return machine.list(std::move(out));
}

Value filter_dictsort(Machine& machine, std::string_view name, const Value& input,
                      const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "case_sensitive by reverse");
  const std::string by_key = "key";
  const std::string& by = text_argument(machine, bound[1], by_key);
  if (!input.is(Kind::dict)) machine.refuse("dictsort: needs a dict");
  if (by != "key" && by != "value") machine.refuse("dictsort: by is key or value");
  std::vector<Keyed> items;
  for (const auto& [key, value] : *input.pairs) {
    items.push_back({sort_key(machine, by == "key" ? key : value, std::nullopt,
                              truth_argument(bound[0], false)),
                     machine.tuple({key, value})});
  }
  sort_by_key(machine, items, truth_argument(bound[2], false));
  List out;
  for (const Keyed& each : items) out.push_back(each.value);
  return machine.list(std::move(out));
}

Value filter_unique(Machine& machine, std::string_view name, const Value& input,
                    const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "case_sensitive attribute");
  List out, seen;
  for (const Keyed& each :
       with_keys(machine, items_of(machine, input), bound[1], truth_argument(bound[0], false))) {
    const bool known =
        std::ranges::any_of(seen, [&](const Value& key) { return equal(machine, key, each.key); });
    if (known) continue;
    seen.push_back(each.key);
    out.push_back(each.value);
  }
  return machine.list(std::move(out));
}

Value filter_extreme(Machine& machine, std::string_view name, const Value& input,
                     const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "case_sensitive attribute");
  std::vector<Keyed> items =
      with_keys(machine, items_of(machine, input), bound[1], truth_argument(bound[0], false));
  if (items.empty())
    return machine.undefined("there is no item of which one is the " + std::string(name));
  const Keyed* best = &items[0];
  for (const Keyed& each : items) {
    const int sign = order(machine, each.key, best->key);
    if (name == "min" ? sign < 0 : sign > 0) best = &each;
  }
  return best->value;
}

Value filter_sum(Machine& machine, std::string_view name, const Value& input,
                 const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "attribute start");
  Value sum = bound[1].value_or(Value::of(int64_t{0}));
  for (const Value& each : items_of(machine, input)) {
    const bool path = bound[0] && !bound[0]->is(Kind::none);
    sum = arithmetic(machine, sum, "+", path ? path_of(machine, each, *bound[0]) : each);
  }
  return sum;
}

Value filter_reverse(Machine& machine, std::string_view name, const Value& input,
                     const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  if (input.is(Kind::string))
    return slice(machine, input, Value::of_none(), Value::of_none(), Value::of(int64_t{-1}));
  List items = items_of(machine, input);
  std::ranges::reverse(items);
  return machine.list(std::move(items));
}

Value filter_items(Machine& machine, std::string_view name, const Value& input,
                   const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  List out;
  if (input.is(Kind::dict)) {
    for (const auto& [key, value] : *input.pairs) out.push_back(machine.tuple({key, value}));
  } else if (!input.is(Kind::undefined)) {
    machine.refuse("items: needs a dict");
  }
  return machine.list(std::move(out));
}

constexpr std::array kSequenceFilters{
    FilterRow{"length", filter_length},     FilterRow{"count", filter_length},
    FilterRow{"list", filter_list},         FilterRow{"first", filter_end},
    FilterRow{"last", filter_end},          FilterRow{"join", filter_join},
    FilterRow{"map", filter_map},           FilterRow{"select", filter_select},
    FilterRow{"reject", filter_select},     FilterRow{"selectattr", filter_select},
    FilterRow{"rejectattr", filter_select}, FilterRow{"sort", filter_sort},
    FilterRow{"dictsort", filter_dictsort}, FilterRow{"unique", filter_unique},
    FilterRow{"min", filter_extreme},       FilterRow{"max", filter_extreme},
    FilterRow{"sum", filter_sum},           FilterRow{"reverse", filter_reverse},
    FilterRow{"items", filter_items}};

}  // namespace

const FilterRow* find_sequence_filter(std::string_view name) {
  const auto row = std::ranges::find(kSequenceFilters, name, &FilterRow::name);
  return row == kSequenceFilters.end() ? nullptr : &*row;
}

std::string_view sequence_filter_names() {
  static const std::string names = [] {
    std::string all;
    for (const FilterRow& row : kSequenceFilters)
      all += (all.empty() ? "" : ", ") + std::string(row.name);
    return all;
  }();
  return names;
}

}  // namespace cupel::jinja

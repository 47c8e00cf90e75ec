#include "data/jinja/methods.h"

#include <algorithm>
#include <array>

#include "data/jinja/operators.h"
#include "data/jinja/text.h"
#include "data/jinja/text_methods.h"
#include "data/jinja/write.h"

namespace cupel::jinja {
namespace {

constexpr std::array<std::string_view, 5> kDictMethods{"get", "items", "keys", "values", "copy"};
constexpr std::array<std::string_view, 3> kListMethods{"index", "count", "copy"};
constexpr std::array<std::string_view, 1> kLoopMethods{"cycle"};
constexpr std::array<std::string_view, 4> kFunctions{"raise_exception", "namespace", "range",
                                                     "dict"};

template <class Names>
std::optional<std::string_view> find_name(const Names& names, std::string_view name) {
  const auto found = std::ranges::find(names, name);
  return found == names.end() ? std::nullopt : std::optional<std::string_view>(*found);
}

Value call_dict(Machine& machine, const Value& self, std::string_view name,
                const Arguments& arguments) {
  if (name == "get") {
    const Bound bound = bind_arguments(machine, "get", arguments, "key default", 1);
    const Value* found = find(machine, *self.pairs, *bound[0]);
    return found != nullptr ? *found : bound[1].value_or(Value::of_none());
  }
  bind_arguments(machine, name, arguments, "");
  if (name == "copy") return self;
  List items;
  for (const auto& [key, value] : *self.pairs)
    items.push_back(name == "items" ? machine.tuple({key, value}) : name == "keys" ? key : value);
  return machine.list(std::move(items));
}

Value call_list(Machine& machine, const Value& self, std::string_view name,
                const Arguments& arguments) {
  if (name == "copy") {
    bind_arguments(machine, name, arguments, "");
    return self;
  }
  const Value wanted = *bind_arguments(machine, name, arguments, "value", 1)[0];
  int64_t count = 0;
  for (std::size_t i = 0; i < self.items->size(); ++i) {
    if (!equal(machine, (*self.items)[i], wanted)) continue;
    if (name == "index") return Value::of(static_cast<int64_t>(i));
    ++count;
  }
  if (name == "index") machine.refuse("index: the list has no such item");
  return Value::of(count);
}

Value make_range(Machine& machine, const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, "range", arguments, "start stop step", 1);
  int64_t start = integer_argument(machine, bound[0], 0);
  const int64_t stop = bound[1] ? integer_argument(machine, bound[1], 0) : start;
  if (!bound[1]) start = 0;
  const int64_t step = integer_argument(machine, bound[2], 1);
  if (step == 0) machine.refuse("range: the step is 0");
  List items;
  for (int64_t i = start; step > 0 ? i < stop : i > stop;) {
    machine.spend(1);
    items.push_back(Value::of(i));
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return machine.list(std::move(items));
}

/// The pairs of a dict or of a list of twos, then the named arguments.
Pairs make_pairs(Machine& machine, std::string_view what, const Arguments& arguments) {
  if (arguments.positional.size() > 1)
    machine.refuse(std::string(what) + ": too many arguments are given");
  Pairs pairs;
  const auto put = [&](const Value& key, const Value& value) {
    set_pair(machine, pairs, key, value);
  };
  for (const Value& given : arguments.positional) {
    if (given.is(Kind::dict)) {
      pairs = *given.pairs;
      continue;
    }
    for (const Value& pair : items_of(machine, given)) {
      if (!pair.is_sequence() || pair.items->size() != 2)
        machine.refuse(std::string(what) + ": needs a dict or pairs");
      put((*pair.items)[0], (*pair.items)[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) put(machine.string(std::string(name)), value);
  return pairs;
}

Value make_namespace(Machine& machine, const Arguments& arguments) {
  Namespace space;
  for (const auto& [key, value] : make_pairs(machine, "namespace", arguments))
    space.members.emplace_back(to_text(machine, key), value);
  return machine.space(std::move(space));
}

}  // namespace

std::optional<std::string_view> method_of(const Value& value, std::string_view name) {
  switch (value.kind) {
    case Kind::string:
      return text_method(name);
    case Kind::dict:
      return find_name(kDictMethods, name);
    case Kind::list:
    case Kind::tuple:
      return find_name(kListMethods, name);
    case Kind::loop:
      return find_name(kLoopMethods, name);
    default:
      return std::nullopt;
  }
}

Value call_method(Machine& machine, const Value& self, std::string_view name,
                  const Arguments& arguments) {
  if (self.is(Kind::string)) return call_text_method(machine, *self.text, name, arguments);
  if (self.is(Kind::dict)) return call_dict(machine, self, name, arguments);
  if (self.is_sequence()) return call_list(machine, self, name, arguments);
  if (arguments.positional.empty()) machine.refuse("cycle: missing argument \"value\"");
  return arguments.positional[self.loop->index % arguments.positional.size()];
}

std::optional<std::string_view> function_of(std::string_view name) {
  return find_name(kFunctions, name);
}

Value call_function(Machine& machine, std::string_view name, const Arguments& arguments) {
  if (name == "raise_exception") {
    const Bound bound = bind_arguments(machine, name, arguments, "message", 1);
    throw Refusal{to_text(machine, *bound[0])};
  }
  if (name == "namespace") return make_namespace(machine, arguments);
  if (name == "range") return make_range(machine, arguments);
  return machine.dict(make_pairs(machine, "dict", arguments));
}

}  // namespace cupel::jinja

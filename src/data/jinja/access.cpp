#include <algorithm>

#include "data/jinja/methods.h"
#include "data/jinja/operators.h"
#include "data/jinja/text.h"
#include "data/jinja/write.h"

namespace cupel::jinja {
namespace {

Value loop_attribute(Machine& machine, const Value& value, std::string_view name) {
  const Loop& loop = *value.loop;
  const auto index = static_cast<int64_t>(loop.index);
  const auto length = static_cast<int64_t>(loop.items->size());
  if (name == "index") return Value::of(index + 1);
  if (name == "index0") return Value::of(index);
  if (name == "revindex") return Value::of(length - index);
  if (name == "revindex0") return Value::of(length - index - 1);
  if (name == "first") return Value::of(index == 0);
  if (name == "last") return Value::of(index + 1 == length);
  if (name == "length") return Value::of(length);
  if (name == "depth") return Value::of(loop.depth);
  if (name == "depth0") return Value::of(loop.depth - 1);
  if (name == "previtem")
    return index > 0 ? (*loop.items)[loop.index - 1]
                     : machine.undefined("there is no previous item");
  if (name == "nextitem")
    return index + 1 < length ? (*loop.items)[loop.index + 1]
                              : machine.undefined("there is no next item");
  return machine.undefined("\"loop\" has no attribute \"" + std::string(name) + "\"");
}

Value missing(Machine& machine, const Value& value, const std::string& name) {
  return machine.undefined("\"" + std::string(type_name(value)) + "\" has no attribute \"" + name +
                           "\"");
}

/// Attributes of Python objects that templates see; nothing else can be reached.
std::optional<Value> own_attribute(Machine& machine, const Value& value, const std::string& name) {
  if (value.is(Kind::loop) && name != "cycle") return loop_attribute(machine, value, name);
  if (value.is(Kind::space)) {
    for (const auto& [key, member] : value.space->members) {
      if (key == name) return member;
    }
    return std::nullopt;
  }
  if (const auto method = method_of(value, name))
    return machine.function({Function::Of::method, *method, value});
  return std::nullopt;
}

/// Python's index into `size` items, or nothing.
std::optional<std::size_t> place(int64_t index, std::size_t size) {
  const auto count = static_cast<int64_t>(size);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::optional<Value> own_item(Machine& machine, const Value& value, const Value& key) {
  if (value.is(Kind::dict)) {
    const Value* found = find(machine, *value.pairs, key);
    return found == nullptr ? std::nullopt : std::optional(*found);
  }
  if (!key.is_integral()) return std::nullopt;
  if (value.is_sequence()) {
    const auto at = place(key.as_integer(), value.items->size());
    return at ? std::optional((*value.items)[*at]) : std::nullopt;
  }
  if (value.is(Kind::string)) {
    machine.spend_bytes(value.text->size());
    const std::vector<std::size_t> offsets = character_offsets(*value.text);
    const auto at = place(key.as_integer(), offsets.size() - 1);
    if (!at) return std::nullopt;
    const std::size_t begin = offsets[*at];
    return machine.string(value.text->substr(begin, offsets[*at + 1] - begin));
  }
  return std::nullopt;
}

[[noreturn]] void refuse_undefined(Machine& machine, const Value& value) {
  machine.refuse(*value.text, "nothing can be had of it");
}

/// Python's bounds of a slice: the places in order, for `size` items.
std::vector<std::size_t> slice_places(Machine& machine, int64_t size, const Value& start,
                                      const Value& stop, const Value& step) {
  for (const Value& bound : {start, stop, step}) {
    if (!bound.is(Kind::none) && !bound.is_integral())
      machine.refuse("a slice has whole numbers as bounds, not \"" + std::string(type_name(bound)) +
                     "\"");
  }
  const int64_t by = step.is(Kind::none) ? 1 : step.as_integer();
  if (by == 0) machine.refuse("the step of a slice is 0");
  const auto bound = [&](const Value& value, int64_t left_out) {
    if (value.is(Kind::none)) return left_out;
    int64_t at = value.as_integer();
    if (at < 0) at = at < -size ? -1 : at + size;
    return std::clamp<int64_t>(at, by > 0 ? 0 : -1, by > 0 ? size : size - 1);
  };
  const int64_t from = bound(start, by > 0 ? 0 : size - 1);
  const int64_t to = bound(stop, by > 0 ? size : -1);
  std::vector<std::size_t> places;
  for (int64_t at = from; by > 0 ? at < to : at > to;) {
    places.push_back(static_cast<std::size_t>(at));
    if (__builtin_add_overflow(at, by, &at)) break;
  }
  machine.spend(places.size() / 64 + 1);
  return places;
}

}  // namespace

const Value* find(Machine& machine, const Pairs& pairs, const Value& key) {
  if (key.is(Kind::list) || key.is(Kind::dict))
    machine.refuse("a key of a dict cannot be a " + std::string(type_name(key)));
  machine.spend(1 + pairs.size() / 16);
  for (const auto& [name, value] : pairs) {
    // Nearly every key is a string: a look at that pays.
    const bool same = key.is(Kind::string) ? name.is(Kind::string) && *name.text == *key.text
                                           : !name.is(Kind::string) && equal(machine, name, key);
    if (same) return &value;
  }
  return nullptr;
}

void set_pair(Machine& machine, Pairs& pairs, const Value& key, const Value& value) {
  const Value* old = find(machine, pairs, key);
  const auto same =
      std::ranges::find_if(pairs, [&](const auto& pair) { return &pair.second == old; });
  if (same == pairs.end()) {
    pairs.emplace_back(key, value);
  } else {
    same->second = value;
  }
}

Value attribute(Machine& machine, const Value& value, const std::string& name) {
  if (value.is(Kind::undefined)) refuse_undefined(machine, value);
  if (const auto own = own_attribute(machine, value, name)) return *own;
  if (value.is(Kind::dict)) {
    if (const Value* found = find(machine, *value.pairs, Value::of(&name))) return *found;
  }
  return missing(machine, value, name);
}

Value item(Machine& machine, const Value& value, const Value& key) {
  if (value.is(Kind::undefined)) refuse_undefined(machine, value);
  if (const auto own = own_item(machine, value, key)) return *own;
  if (key.is(Kind::string)) {
    // As jinja2: what is no item may be an attribute.
    if (const auto attribute = own_attribute(machine, value, *key.text)) return *attribute;
    return missing(machine, value, *key.text);
  }
  return missing(machine, value, to_text(machine, key));
}

Value slice(Machine& machine, const Value& value, const Value& start, const Value& stop,
            const Value& step) {
  if (value.is(Kind::undefined)) refuse_undefined(machine, value);
  if (value.is(Kind::string)) {
    machine.spend_bytes(value.text->size());
    const std::vector<std::size_t> offsets = character_offsets(*value.text);
    std::string out;
    for (const std::size_t at :
         slice_places(machine, static_cast<int64_t>(offsets.size()) - 1, start, stop, step)) {
      out.append(*value.text, offsets[at], offsets[at + 1] - offsets[at]);
    }
    return machine.string(std::move(out));
  }
  if (!value.is_sequence())
    machine.refuse("\"" + std::string(type_name(value)) + "\" cannot be cut by a slice");
  List out;
  for (const std::size_t at :
       slice_places(machine, static_cast<int64_t>(value.items->size()), start, stop, step))
    out.push_back((*value.items)[at]);
  return value.is(Kind::list) ? machine.list(std::move(out)) : machine.tuple(std::move(out));
}

const List& items_of(Machine& machine, const Value& value) {
  if (value.is_sequence()) return *value.items;
  List items;
  if (value.is(Kind::dict)) {
    for (const auto& pair : *value.pairs) items.push_back(pair.first);
  } else if (value.is(Kind::string)) {
    const std::vector<std::size_t> offsets = character_offsets(*value.text);
    machine.spend(offsets.size());
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i)
      items.push_back(machine.string(value.text->substr(offsets[i], offsets[i + 1] - offsets[i])));
  } else if (!value.is(Kind::undefined)) {
    machine.refuse("\"" + std::string(type_name(value)) + "\" cannot be gone through");
  }
  return *machine.list(std::move(items)).items;
}

std::optional<int64_t> length_of(Machine& machine, const Value& value) {
  if (value.is_sequence()) return static_cast<int64_t>(value.items->size());
  if (value.is(Kind::dict)) return static_cast<int64_t>(value.pairs->size());
  if (value.is(Kind::undefined)) return 0;
  if (value.is(Kind::loop)) return static_cast<int64_t>(value.loop->items->size());
  if (!value.is(Kind::string)) return std::nullopt;
  machine.spend_bytes(value.text->size());
  return static_cast<int64_t>(character_offsets(*value.text).size()) - 1;
}

}  // namespace cupel::jinja

#include "data/jinja/text_methods.h"

#include <algorithm>
#include <array>

#include "data/jinja/operators.h"
#include "data/jinja/text.h"
#include "data/unicode.h"

namespace cupel::jinja {
namespace {

using Method = Value (*)(Machine&, const std::string& self, std::string_view name,
                         const Arguments&);
struct Row {
  std::string_view name;
  Method method;
};

Value mapped(Machine& machine, const std::string& self, std::string_view name,
             const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  return machine.string(name == "upper"   ? upper(self)
                        : name == "lower" ? lower(self)
                        : name == "title" ? title(self)
                                          : capitalize(self));
}

Value stripped(Machine& machine, const std::string& self, std::string_view name,
               const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "chars");
  const bool blank = !bound[0] || bound[0]->is(Kind::none);
  const std::string& set = blank ? kEmpty : text_argument(machine, bound[0], kEmpty);
  if (!blank && set.empty()) return machine.string(self);
  return machine.string(
      std::string(strip(self, set, /*left=*/name != "rstrip", /*right=*/name != "lstrip")));
}

Value split_text(Machine& machine, const std::string& self, std::string_view name,
                 const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "sep maxsplit");
  const bool blank = !bound[0] || bound[0]->is(Kind::none);
  const std::string& separator = blank ? kEmpty : text_argument(machine, bound[0], kEmpty);
  if (!blank && separator.empty()) machine.refuse("split: the separator is empty");
  List parts;
  for (const std::string_view part :
       split(self, separator, integer_argument(machine, bound[1], -1), name == "rsplit"))
    parts.push_back(machine.string(std::string(part)));
  return machine.list(std::move(parts));
}

Value split_into_lines(Machine& machine, const std::string& self, std::string_view name,
                       const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "keepends");
  List lines;
  for (const std::string_view line : split_lines(self, truth_argument(bound[0], false)))
    lines.push_back(machine.string(std::string(line)));
  return machine.list(std::move(lines));
}

/// startswith and endswith, of one string or a tuple of several.
Value has_end(Machine& machine, const std::string& self, std::string_view name,
              const Arguments& arguments) {
  const Value wanted = *bind_arguments(machine, name, arguments, "prefix", 1)[0];
  const auto matches = [&](const Value& value) {
    const std::string& end = text_argument(machine, value, kEmpty);
    machine.spend_bytes(end.size());
    return name == "startswith" ? self.starts_with(end) : self.ends_with(end);
  };
  return Value::of(wanted.is(Kind::tuple) ? std::ranges::any_of(*wanted.items, matches)
                                          : matches(wanted));
}

Value without_end(Machine& machine, const std::string& self, std::string_view name,
                  const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "text", 1);
  const std::string& end = text_argument(machine, bound[0], kEmpty);
  std::string_view out = self;
  if (name == "removeprefix" && out.starts_with(end)) out.remove_prefix(end.size());
  if (name == "removesuffix" && out.ends_with(end)) out.remove_suffix(end.size());
  return machine.string(std::string(out));
}

Value replaced(Machine& machine, const std::string& self, std::string_view name,
               const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "old new count", 2);
  const std::string& from = text_argument(machine, bound[0], kEmpty);
  const std::string& to = text_argument(machine, bound[1], kEmpty);
  return machine.string(
      replace_within(machine, self, from, to, integer_argument(machine, bound[2], -1)));
}

/// find, rfind, index: in characters.
Value found(Machine& machine, const std::string& self, std::string_view name,
            const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "sub", 1);
  const std::string& wanted = text_argument(machine, bound[0], kEmpty);
  machine.spend_bytes(self.size());
  const std::size_t at = name == "rfind" ? self.rfind(wanted) : self.find(wanted);
  if (at == std::string::npos) {
    if (name == "index") machine.refuse("index: the string has no such part");
    return Value::of(int64_t{-1});
  }
  return Value::of(
      static_cast<int64_t>(character_offsets(std::string_view(self).substr(0, at)).size()) - 1);
}

Value counted(Machine& machine, const std::string& self, std::string_view name,
              const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "sub", 1);
  const std::string& wanted = text_argument(machine, bound[0], kEmpty);
  machine.spend_bytes(self.size());
  if (wanted.empty()) return Value::of(static_cast<int64_t>(character_offsets(self).size()));
  return Value::of(static_cast<int64_t>(split(self, wanted, -1, false).size()) - 1);
}

Value joined(Machine& machine, const std::string& self, std::string_view name,
             const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "items", 1);
  std::string out;
  bool first = true;
  for (const Value& value : items_of(machine, *bound[0])) {
    if (!value.is(Kind::string)) machine.refuse("join: every item must be a string");
    if (!first) out += self;
    first = false;
    machine.take_memory(value.text->size() + self.size());
    out += *value.text;
  }
  return machine.string(std::move(out));
}

/// isdigit, isalpha, …: of every character, and there is one.
Value is_class(Machine& machine, const std::string& self, std::string_view name,
               const Arguments& arguments) {
  bind_arguments(machine, name, arguments, "");
  machine.spend_bytes(self.size());
  const bool cased = name == "isupper" || name == "islower";
  bool all = !self.empty(), any = false;
  for (std::size_t at = 0; all && at < self.size();) {
    const std::size_t begin = at;
    const char32_t c = next_character(self, at);
    const bool digit = class_of(c) == CharacterClass::digit;
    if (name == "isdigit" || name == "isdecimal" || name == "isnumeric") {
      all = digit;
    } else if (name == "isalpha") {
      all = is_letter(c);
    } else if (name == "isalnum") {
      all = digit || is_letter(c);
    } else if (name == "isspace") {
      all = leading_space(std::string_view(self).substr(begin, at - begin)) > 0;
    } else {
      any = any || is_upper(c) || is_lower(c);
      all = name == "isupper" ? !is_lower(c) : !is_upper(c);
    }
  }
  return Value::of(all && (any || !cased));
}

Value parted(Machine& machine, const std::string& self, std::string_view name,
             const Arguments& arguments) {
  const Bound bound = bind_arguments(machine, name, arguments, "sep", 1);
  const std::string& separator = text_argument(machine, bound[0], kEmpty);
  if (separator.empty()) machine.refuse("partition: the separator is empty");
  const bool right = name == "rpartition";
  const std::size_t at = right ? self.rfind(separator) : self.find(separator);
  const Value empty = machine.string("");
  if (at == std::string::npos) {
    const Value whole = machine.string(self);
    return right ? machine.tuple({empty, empty, whole}) : machine.tuple({whole, empty, empty});
  }
  return machine.tuple({machine.string(self.substr(0, at)), machine.string(separator),
                        machine.string(self.substr(at + separator.size()))});
}

/// ljust, rjust, center, zfill are left out: no published template aligns text.
constexpr std::array kMethods{Row{"upper", mapped},
                              Row{"lower", mapped},
                              Row{"title", mapped},
                              Row{"capitalize", mapped},
                              Row{"strip", stripped},
                              Row{"lstrip", stripped},
                              Row{"rstrip", stripped},
                              Row{"split", split_text},
                              Row{"rsplit", split_text},
                              Row{"splitlines", split_into_lines},
                              Row{"startswith", has_end},
                              Row{"endswith", has_end},
                              Row{"removeprefix", without_end},
                              Row{"removesuffix", without_end},
                              Row{"replace", replaced},
                              Row{"find", found},
                              Row{"rfind", found},
                              Row{"index", found},
                              Row{"count", counted},
                              Row{"join", joined},
                              Row{"isdigit", is_class},
                              Row{"isdecimal", is_class},
                              Row{"isnumeric", is_class},
                              Row{"isalpha", is_class},
                              Row{"isalnum", is_class},
                              Row{"isspace", is_class},
                              Row{"isupper", is_class},
                              Row{"islower", is_class},
                              Row{"partition", parted},
                              Row{"rpartition", parted}};

const Row* find_row(std::string_view name) {
  const auto row = std::ranges::find(kMethods, name, &Row::name);
  return row == kMethods.end() ? nullptr : &*row;
}

}  // namespace

std::optional<std::string_view> text_method(std::string_view name) {
  const Row* row = find_row(name);
  return row == nullptr ? std::nullopt : std::optional(row->name);
}

Value call_text_method(Machine& machine, const std::string& self, std::string_view name,
                       const Arguments& arguments) {
  machine.spend_bytes(self.size());
  return find_row(name)->method(machine, self, name, arguments);
}

std::string replace_within(Machine& machine, const std::string& text, const std::string& from,
                           const std::string& to, int64_t most) {
  if (to.size() > from.size()) {  // what it may grow to, before it does
    auto places = static_cast<int64_t>(from.empty() ? text.size() + 1
                                                    : split(text, from, -1, false).size() - 1);
    if (most >= 0) places = std::min(places, most);
    const std::size_t growth = to.size() - from.size();
    const auto times = static_cast<std::size_t>(places);
    machine.take_memory(times > machine.limits().memory / growth ? machine.limits().memory + 1
                                                                 : times * growth);
  }
  return replace(text, from, to, most);
}

}  // namespace cupel::jinja

#include <algorithm>

#include "data/jinja/operators.h"
#include "data/jinja/text.h"

namespace cupel::jinja {
namespace {

bool equal_items(Machine& machine, const List& a, const List& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(),
                    [&](const Value& x, const Value& y) { return equal(machine, x, y); });
}

bool equal_pairs(Machine& machine, const Pairs& a, const Pairs& b) {
  return a.size() == b.size() && std::ranges::all_of(a, [&](const auto& pair) {
           const Value* other = find(machine, b, pair.first);
           return other != nullptr && equal(machine, pair.second, *other);
         });
}

int sign_of(double a, double b) { return (a > b) - (a < b); }
int sign_of(int64_t a, int64_t b) { return (a > b) - (a < b); }

}  // namespace

bool equal(Machine& machine, const Value& a, const Value& b) {
  const Deeper deeper(machine);
  machine.spend(1);
  if (a.is_integral() && b.is_integral()) return a.as_integer() == b.as_integer();
  if (a.is_numeric() && b.is_numeric()) return a.as_number() == b.as_number();
  if (a.kind != b.kind) return false;
  switch (a.kind) {
    case Kind::string:
      machine.spend_bytes(std::min(a.text->size(), b.text->size()));
      return *a.text == *b.text;
    case Kind::list:
    case Kind::tuple:
      return equal_items(machine, *a.items, *b.items);
    case Kind::dict:
      return equal_pairs(machine, *a.pairs, *b.pairs);
    case Kind::space:
      return a.space == b.space;
    case Kind::loop:
      return a.loop == b.loop;
    case Kind::function:
      return a.function == b.function;
    default:
      return true;  // none, undefined
  }
}

int order(Machine& machine, const Value& a, const Value& b) {
  const Deeper deeper(machine);
  machine.spend(1);
  if (a.is_integral() && b.is_integral()) return sign_of(a.as_integer(), b.as_integer());
  if (a.is_numeric() && b.is_numeric()) return sign_of(a.as_number(), b.as_number());
  if (a.is(Kind::string) && b.is(Kind::string)) {
    machine.spend_bytes(std::min(a.text->size(), b.text->size()));
    return a.text->compare(*b.text);  // UTF-8 sorts as its code points do
  }
  if (a.is_sequence() && a.kind == b.kind) {
    for (std::size_t i = 0; i < std::min(a.items->size(), b.items->size()); ++i) {
      const Value &x = (*a.items)[i], &y = (*b.items)[i];
      if (!equal(machine, x, y)) return order(machine, x, y);
    }
    return sign_of(static_cast<int64_t>(a.items->size()), static_cast<int64_t>(b.items->size()));
  }
  machine.refuse("\"" + std::string(type_name(a)) + "\" and \"" + std::string(type_name(b)) +
                 "\" have no order");
}

bool contains(Machine& machine, const Value& whole, const Value& part) {
  switch (whole.kind) {
    case Kind::string:
      if (!part.is(Kind::string))
        machine.refuse("\"in\" looks for a string in a string, not for \"" +
                       std::string(type_name(part)) + "\"");
      machine.spend_bytes(whole.text->size());
      return whole.text->find(*part.text) != std::string::npos;
    case Kind::list:
    case Kind::tuple:
      return std::ranges::any_of(*whole.items,
                                 [&](const Value& value) { return equal(machine, value, part); });
    case Kind::dict:
      return find(machine, *whole.pairs, part) != nullptr;
    case Kind::undefined:
      return false;
    default:
      machine.refuse("\"in\" cannot look into \"" + std::string(type_name(whole)) + "\"");
  }
}

bool compare(Machine& machine, const Value& a, std::string_view name, const Value& b) {
  if (name == "==") return equal(machine, a, b);
  if (name == "!=") return !equal(machine, a, b);
  if (name == "in") return contains(machine, b, a);
  if (name == "not in") return !contains(machine, b, a);
  if (a.is(Kind::undefined) || b.is(Kind::undefined))
    machine.refuse(*(a.is(Kind::undefined) ? a : b).text, "it cannot be compared");
  const bool nan =
      (a.is(Kind::number) && a.number != a.number) || (b.is(Kind::number) && b.number != b.number);
  const int sign = order(machine, a, b);
  if (nan) return false;
  return name == "<" ? sign < 0 : name == ">" ? sign > 0 : name == "<=" ? sign <= 0 : sign >= 0;
}

}  // namespace cupel::jinja

// What the operators of an expression do, as in Python.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/jinja/machine.h"

namespace cupel::jinja {

bool equal(Machine& machine, const Value& a, const Value& b);
/// Negative, zero or positive; of numbers, strings or sequences alike. Throws Error{data} for
/// others. NaN is not less and not greater: it compares as equal here.
int order(Machine& machine, const Value& a, const Value& b);
bool contains(Machine& machine, const Value& whole, const Value& part);
bool compare(Machine& machine, const Value& a, std::string_view name, const Value& b);

/// + - * / // % **
Value arithmetic(Machine& machine, const Value& a, std::string_view name, const Value& b);
Value negate(Machine& machine, const Value& value);
/// "%s and %d" with values; what else printf knows is left out.
Value format_percent(Machine& machine, const std::string& format, const List& values);

/// value.name and value[key]: what is missing is undefined, of undefined nothing can be had.
Value attribute(Machine& machine, const Value& value, const std::string& name);
Value item(Machine& machine, const Value& value, const Value& key);
const Value* find(Machine& machine, const Pairs& pairs, const Value& key);
/// The pair of that key, replaced or put last.
void set_pair(Machine& machine, Pairs& pairs, const Value& key, const Value& value);
/// Bounds are none where left out.
Value slice(Machine& machine, const Value& value, const Value& start, const Value& stop,
            const Value& step);

/// What a for loop goes over: the items, the keys of a dict, the characters of a string.
const List& items_of(Machine& machine, const Value& value);
/// How many there are; nothing for what has no length.
std::optional<int64_t> length_of(Machine& machine, const Value& value);

}  // namespace cupel::jinja

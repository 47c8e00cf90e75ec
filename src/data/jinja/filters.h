// Filters and tests: what follows "|" and "is".
#pragma once

#include <string_view>

#include "data/jinja/arguments.h"

namespace cupel::jinja {

/// Throws Error{data} for an unknown one, naming those that there are.
Value apply_filter(Machine& machine, std::string_view name, const Value& input,
                   const Arguments& arguments);
bool apply_test(Machine& machine, std::string_view name, const Value& input,
                const Arguments& arguments);

/// Rows of the table of filters. The name is passed along for what serves several.
using FilterFunction = Value (*)(Machine&, std::string_view name, const Value& input,
                                 const Arguments&);
struct FilterRow {
  std::string_view name;
  FilterFunction apply;
};
/// Those of sequences and dicts, or null.
const FilterRow* find_sequence_filter(std::string_view name);
/// Their names, as a message lists them.
std::string_view sequence_filter_names();

}  // namespace cupel::jinja

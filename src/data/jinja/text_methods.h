// Methods of a string: those of Python's str that templates call.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/jinja/arguments.h"

namespace cupel::jinja {

/// The name, if there is such a method.
std::optional<std::string_view> text_method(std::string_view name);
Value call_text_method(Machine& machine, const std::string& self, std::string_view name,
                       const Arguments& arguments);

/// replace() of text.h; throws Error{data} before the result grows past the limit of memory.
std::string replace_within(Machine& machine, const std::string& text, const std::string& from,
                           const std::string& to, int64_t most);

}  // namespace cupel::jinja

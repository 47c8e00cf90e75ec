// Methods of strings, dicts and lists, those that change nothing, and the functions of a template.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "data/jinja/arguments.h"

namespace cupel::jinja {

/// What raise_exception throws: the template will not have this conversation.
struct Refusal {
  std::string message;
};

/// The method's name if values of this type have one so called.
std::optional<std::string_view> method_of(const Value& value, std::string_view name);
Value call_method(Machine& machine, const Value& self, std::string_view name,
                  const Arguments& arguments);

/// Nothing for a name that is no function: raise_exception, namespace, range, dict. (strftime_now
/// is the renderer's, which knows the time.)
std::optional<std::string_view> function_of(std::string_view name);
Value call_function(Machine& machine, std::string_view name, const Arguments& arguments);

}  // namespace cupel::jinja

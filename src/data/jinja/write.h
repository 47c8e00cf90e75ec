// Values as text: Python's str() and repr(), and JSON.
#pragma once

#include <optional>
#include <string>

#include "data/jinja/machine.h"

namespace cupel::jinja {

/// Digits of escapes.
inline constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string to_text(Machine& machine, const Value& value);
std::string to_repr(Machine& machine, const Value& value);
/// repr(float): the shortest decimal, an exponent from 1e16 on and below 1e-4.
std::string number_text(double value);

struct JsonStyle {
  std::optional<std::string> indent{};  // a level's; nothing: one line
  std::optional<std::string> item_separator{}, key_separator{};
  bool ascii = false;
  bool sort_keys = false;
};

/// json.dumps. Throws Error{data} for what JSON cannot hold.
std::string to_json(Machine& machine, const Value& value, const JsonStyle& style);

}  // namespace cupel::jinja

#include "data/jinja/arguments.h"

#include <algorithm>
#include <string>

#include "data/jinja/text.h"

namespace cupel::jinja {

Bound bind_arguments(Machine& machine, std::string_view what, const Arguments& arguments,
                     std::string_view parameters, std::size_t required) {
  const std::vector<std::string_view> names = split(parameters, "", -1, false);
  Bound bound(names.size());
  if (arguments.positional.size() > names.size())
    machine.refuse(std::string(what) + ": too many arguments are given");
  std::copy(arguments.positional.begin(), arguments.positional.end(), bound.begin());
  for (const auto& [name, value] : arguments.named) {
    const auto place = std::ranges::find(names, name);
    if (place == names.end())
      machine.refuse(std::string(what) + ": there is no argument \"" + std::string(name) + "\"");
    std::optional<Value>& slot = bound[static_cast<std::size_t>(place - names.begin())];
    if (slot)
      machine.refuse(std::string(what) + ": argument given twice: \"" + std::string(name) + "\"");
    slot = value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (!bound[i])
      machine.refuse(std::string(what) + ": missing argument \"" + std::string(names[i]) + "\"");
  }
  return bound;
}

const std::string& text_argument(Machine& machine, const std::optional<Value>& value,
                                 const std::string& otherwise) {
  if (!value) return otherwise;
  if (!value->is(Kind::string))
    machine.refuse("an argument must be a string, not \"" + std::string(type_name(*value)) + "\"");
  return *value->text;
}

int64_t integer_argument(Machine& machine, const std::optional<Value>& value, int64_t otherwise) {
  if (!value) return otherwise;
  if (!value->is_integral())
    machine.refuse("an argument must be a whole number, not \"" + std::string(type_name(*value)) +
                   "\"");
  return value->as_integer();
}

bool truth_argument(const std::optional<Value>& value, bool otherwise) {
  return value ? is_true(*value) : otherwise;
}

}  // namespace cupel::jinja

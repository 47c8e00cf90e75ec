// Arguments of a call, and how they find their parameters.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "data/jinja/machine.h"

namespace cupel::jinja {

struct Arguments {
  List positional{};
  std::vector<std::pair<std::string_view, Value>> named{};
};

using Bound = std::vector<std::optional<Value>>;

/// A value for each of `parameters`, words with blanks between, of which the first `required` must
/// be given. Throws Error{data}, which begins with `what`, for one that is missing, given twice or
/// unknown.
Bound bind_arguments(Machine& machine, std::string_view what, const Arguments& arguments,
                     std::string_view parameters, std::size_t required = 0);

/// The text of an argument that is left out.
inline const std::string kEmpty;
/// An argument of that type, or `otherwise` where it is left out. Throws Error{data}.
const std::string& text_argument(Machine& machine, const std::optional<Value>& value,
                                 const std::string& otherwise);
int64_t integer_argument(Machine& machine, const std::optional<Value>& value, int64_t otherwise);
bool truth_argument(const std::optional<Value>& value, bool otherwise);

}  // namespace cupel::jinja

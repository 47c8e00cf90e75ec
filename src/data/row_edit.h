// A row's text changed in place: every other byte of the row stays.
#pragma once

#include <string>
#include <string_view>

namespace cupel {

/// The field that marks a row whose text is no longer that of the input.
inline constexpr std::string_view kEditedField = "edited";

/// `json`, a row as RowFieldParser takes it, with `text` as the value of its field `field`, and
/// true as that of kEditedField, which goes to the end if it is new. Error{bug} if the row has no
/// such field.
std::string with_text(std::string_view json, std::string_view field, std::string_view text);

}  // namespace cupel

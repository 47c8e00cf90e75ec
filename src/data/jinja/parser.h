// The text of a template → its tree.
#pragma once

#include <string>
#include <string_view>

#include "data/jinja/syntax.h"

namespace cupel::jinja {

/// Statements: for, if, set, macro, call, filter, with, generation, break, continue, raw, comments.
/// Throws Error{data} "where:line: …" for anything else, for what is not closed, and for nesting
/// deeper than kDeepestSyntax.
Body parse(std::string_view source, const std::string& where);

}  // namespace cupel::jinja

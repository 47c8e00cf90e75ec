// Settings on the command line: which section of a recipe a word such as --train.max_steps=9
// changes.
#pragma once

#include <string>

#include "pipeline/recipe.h"

namespace cupel::pipeline {

/// A word as it was typed, with its dashes, and with a value: "=true" where it names a yes/no
/// setting alone. Throws Error{config} for any other word without one. Needs no recipe: the value
/// of a word such as "--input rows.jsonl" would be read as one.
std::string with_value(const std::string& word, const Verb& verb);

/// Merges such a word with its value into the settings that it names: of a section, or of the
/// request's own verb. Throws Error{config} for a word that names neither, with the
/// nearest that there is; what its value must be is checked when settings are read.
void apply_override(const std::string& word, Request& request);

/// Throws Error{config} at `where` for a name that is no section, with the nearest one.
[[noreturn]] void fail_unknown_section(const std::string& where, const std::string& name);

}  // namespace cupel::pipeline

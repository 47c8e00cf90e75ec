// Argument words → verb, flags, words and overrides.
#pragma once

#include <string>
#include <vector>

#include "pipeline/recipe.h"

namespace cupel::cli {

/// The words after the program's name. Flags are read by the same rules as settings; every other
/// word with dashes is an override, which the recipe judges. Throws Error{config}.
pipeline::CommandLine parse_arguments(const std::vector<std::string>& words);

/// Throws Error{config} for a line without a verb; one that seems a misspelt flag is named.
[[noreturn]] void fail_without_verb(const pipeline::CommandLine& line);

}  // namespace cupel::cli

// The text of --help: all verbs, or one with its settings.
#pragma once

#include <string>

#include "pipeline/verbs.h"

namespace cupel::cli {

std::string help_of_all();
std::string help_of(const pipeline::Verb& verb);

}  // namespace cupel::cli

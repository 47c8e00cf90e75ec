// `init`: a recipe to begin with, in which every setting stands with its default and meaning.
#pragma once

#include <string>
#include <vector>

#include "pipeline/verbs.h"

namespace cupel::pipeline {

struct InitConfig {
  std::vector<std::string> sections;
  static constexpr auto fields() {
    return std::tuple{Field{"sections", &InitConfig::sections,
                            "verbs to write a section for; default: all that have an example"}};
  }
};

struct InitReport {
  std::string path;
  std::vector<std::string> sections;
  bool dry_run = false;  // nothing was written
  static constexpr auto fields() {
    return std::tuple{Field{"path", &InitReport::path, "recipe that was written"},
                      Field{"sections", &InitReport::sections, "its sections"}};
  }
  std::string text() const;
};

/// Writes --out (default recipe.yaml). Throws Error{config} if it exists or a verb has no section.
InitReport init(const InitConfig& config, const Request& request);

/// The section of a verb: its example, then every setting as a comment. A line without its "# " is
/// that setting at its default.
std::string commented_section(const Verb& verb);

}  // namespace cupel::pipeline

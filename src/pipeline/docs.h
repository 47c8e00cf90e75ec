// `docs`: the reference, made from the same fields as everything else: Markdown and JSON Schema.
#pragma once

#include <string>
#include <vector>

#include "pipeline/verbs.h"

namespace cupel::pipeline {

struct DocsConfig {
  std::string folder = "docs/reference";
  static constexpr auto fields() {
    return std::tuple{Field{"folder", &DocsConfig::folder, "where the pages are written"}};
  }
};

struct DocsReport {
  std::vector<std::string> files;
  static constexpr auto fields() {
    return std::tuple{Field{"files", &DocsReport::files, "written"}};
  }
  std::string text() const;
};

/// README.md (verbs and flags), a page a verb, recipe.schema.json.
DocsReport docs(const DocsConfig& config, const Request& request);

/// JSON Schema (draft 2020-12) of a whole recipe, for editors.
json::Value recipe_schema();

}  // namespace cupel::pipeline

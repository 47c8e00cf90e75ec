// `validate`: reads a recipe as a run would, and stops there.
#pragma once

#include <string>
#include <vector>

#include "pipeline/verbs.h"

namespace cupel::pipeline {

struct ValidateReport {
  std::string recipe;
  std::vector<std::string> stages;
  int64_t settings = 0;
  static constexpr auto fields() {
    using C = ValidateReport;
    return std::tuple{Field{"recipe", &C::recipe, "file that was read"},
                      Field{"stages", &C::stages, "what would run, in order"},
                      Field{"settings", &C::settings, "settings that the recipe and flags give"}};
  }
  std::string text() const;
};

/// Nothing is left to find wrong: whoever made the request has checked it.
ValidateReport validate(const NoSettings& settings, const Request& request);

}  // namespace cupel::pipeline

// The stages that look at one row at a time, in the order in which they decide.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "curate/decision.h"
#include "data/raw_rows.h"

namespace cupel::curate {

struct Config;

struct RowStage {
  std::string name;  // key of the report's `dropped`
  /// Every rule that the row breaks; the first decides. Called from many threads at once.
  std::function<std::vector<Failure>(const RowFields& row)> check;
};

/// format: missing fields, then the rules on a text alone. language: the rule is the code of the
/// language found, the value its share. pii: a rule a kind found, the value how often.
std::vector<RowStage> row_stages(const Config& config);

}  // namespace cupel::curate

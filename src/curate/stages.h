// The stages that look at one row at a time, in the order in which they decide.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "curate/decision.h"
#include "data/raw_rows.h"

namespace cupel::curate {

struct Config;
class Decontaminator;

struct EditedText {
  std::string text;
  std::vector<Edit> edits;
};

/// Its functions are called from many threads at once; either may be empty.
struct RowStage {
  std::string name;  // key of the report's `dropped`
  /// Every rule that the row breaks; the first decides.
  std::function<std::vector<Failure>(const RowFields& row)> check;
  /// What stands in place of the text from here on, or nothing.
  std::function<std::optional<EditedText>(std::string_view text)> edit = {};
};

/// format: missing fields, then the rules on a text alone. language: the rule is the code of the
/// language found, the value its share. pii: a rule a kind found, the value how often; or an edit
/// a kind. decontaminate, if there is a `decontaminator`, which has to outlive the stages: the rule
/// "overlap", the value what of the evaluation text was found.
std::vector<RowStage> row_stages(const Config& config,
                                 const Decontaminator* decontaminator = nullptr);

}  // namespace cupel::curate

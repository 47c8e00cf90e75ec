// `curate explain`: why a row was dropped, with its text beside that of the row that stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/config.h"

namespace cupel::curate {

struct ExplainConfig {
  std::string run, id;
  int64_t rows = 10;
  static constexpr auto fields() {
    using C = ExplainConfig;
    return std::tuple{Field{"run", &C::run, "folder of the run"},
                      Field{"id", &C::id, "of the row; the line where rows have none"},
                      Field{"rows", &C::rows, "show so many of the rows of this id", 1, 1e6}};
  }
};

/// Where a row stands and what it says.
struct ExplainedRow {
  std::string id, file, text;
  int64_t line = 0;
  static constexpr auto fields() {
    using C = ExplainedRow;
    return std::tuple{Field{"id", &C::id, "of the row"}, Field{"file", &C::file, "that holds it"},
                      Field{"line", &C::line, "in the file"},
                      Field{"text", &C::text, "whole; empty if the file is gone or changed"}};
  }
};

struct BrokenRule {
  std::string rule;
  double value = 0, threshold = 0;
  static constexpr auto fields() {
    using C = BrokenRule;
    return std::tuple{Field{"rule", &C::rule, "that the row breaks"},
                      Field{"value", &C::value, "found"},
                      Field{"threshold", &C::threshold, "held to"}};
  }
};

struct EditingRule {
  std::string stage, rule;
  int64_t count = 0;
  static constexpr auto fields() {
    using C = EditingRule;
    return std::tuple{Field{"stage", &C::stage, "that changed the text"},
                      Field{"rule", &C::rule, "of the stage"},
                      Field{"count", &C::count, "passages that it replaced or cut"}};
  }
};

struct HeldEvaluation {
  std::string file, match;
  int64_t line = 0;
  static constexpr auto fields() {
    using C = HeldEvaluation;
    return std::tuple{Field{"file", &C::file, "of the evaluation text"},
                      Field{"line", &C::line, "in the file"},
                      Field{"match", &C::match, "the words of the row that agree"}};
  }
};

struct Explained {
  ExplainedRow row;
  bool kept = false;
  std::string stage;
  std::vector<BrokenRule> rules;
  std::vector<EditingRule> edits;
  std::optional<HeldEvaluation> evaluation;
  std::optional<ExplainedRow> stays;
  static constexpr auto fields() {
    using C = Explained;
    return std::tuple{Field{"row", &C::row, "asked for"},
                      Field{"kept", &C::kept, "or dropped"},
                      Field{"stage", &C::stage, "that dropped it"},
                      Field{"rules", &C::rules, "of the stage that it breaks; the first decided"},
                      Field{"edits", &C::edits, "of its text, which is shown as the input has it"},
                      Field{"evaluation", &C::evaluation, "text that the row holds"},
                      Field{"stays", &C::stays, "of a duplicate: the row that is kept"}};
  }
};

struct Explanation {
  std::vector<Explained> rows;
  static constexpr auto fields() {
    return std::tuple{Field{"rows", &Explanation::rows, "with this id, in order"}};
  }
  /// For a terminal: the texts of a pair side by side.
  std::string text() const;
};

/// Reads decisions.jsonl and manifest.json of the run, and the rows from its inputs. Throws
/// Error{config} for a folder without decisions or an id that has none.
Explanation explain(const ExplainConfig& config);

}  // namespace cupel::curate

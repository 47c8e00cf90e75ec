// What curation decides on a row, and the rules it may be dropped by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cupel::curate {

/// An evaluation text that a row holds: where it stands, and the words of the row that agree.
struct Witness {
  std::string file;
  int64_t line = 0;
  std::string match;
};

/// A rule that a text breaks: the value found and the bound it is held to.
struct Failure {
  std::string rule;  // stable id, as in "too_short"
  double value = 0;
  double threshold = 0;
  std::optional<Witness> evaluation = {};
};

/// A rule that changed a text: how many passages of it.
struct Edit {
  std::string stage, rule;
  int64_t count = 0;
  bool operator==(const Edit&) const = default;
};

/// A row of decisions.jsonl. Rows are counted from 1 over all inputs, lines in their file.
struct Decision {
  int64_t row = 0;
  int64_t input = 0;  // index into the settings' list of inputs, from 0
  int64_t line = 0;
  std::string id;           // empty where the row could not be read
  std::string stage, rule;  // both empty: kept
  double value = 0, threshold = 0;
  std::vector<Failure> failed;        // every rule of the stage that the row breaks
  std::vector<Edit> edited;           // what changed its text before
  std::optional<Witness> evaluation;  // that the row holds
  // Of a duplicate: the row that stays, in an input or, counted after them, in an earlier corpus.
  std::string kept_id;
  int64_t kept_input = 0, kept_line = 0;

  bool kept() const { return stage.empty(); }
  bool is_duplicate() const { return kept_line > 0; }
};

}  // namespace cupel::curate

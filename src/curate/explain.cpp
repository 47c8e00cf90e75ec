#include "curate/explain.h"

#include <algorithm>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "curate/decisions.h"
#include "data/raw_rows.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumn = 56, kLines = 24;

/// What a run's folder says of itself.
struct Source {
  std::vector<std::string> inputs;  // those of `against` after them
  std::string text_field = "text", id_field = "id";
};

Source source_of(const fs::path& folder) {
  Source source;
  const fs::path path = folder / "manifest.json";
  const json::Value manifest = json::parse(read_file(path), path.string());
  const std::string where = path.string();
  const json::Value& record = manifest.at("curate", where);
  for (const json::Value& input : record.at("inputs", where).as_array(where))
    source.inputs.push_back(input.as_string(where));
  source.text_field = record.at("text_field", where).as_string(where);
  source.id_field = record.at("id_field", where).as_string(where);
  return source;
}

/// The row at `line`, or one without text where the file is gone.
ExplainedRow read_row(const Source& source, int64_t input, int64_t line, const std::string& id) {
  ExplainedRow found{id, {}, {}, line};
  if (input < 0 || input >= static_cast<int64_t>(source.inputs.size())) return found;
  found.file = source.inputs[static_cast<std::size_t>(input)];
  std::error_code unreadable;  // as of a name that is too long
  if (!fs::exists(found.file, unreadable)) return found;
  RowFieldParser parser(source.text_field, source.id_field, {});
  constexpr std::size_t kBatchBytes = std::size_t{4} << 20;
  for_each_raw_batch(found.file, kBatchBytes, [&](const std::vector<RawRow>& rows) {
    if (rows.back().line < line) return;
    for (const RawRow& row : rows) {
      RowFields fields;
      if (row.line != line || row.problem != nullptr) continue;
      const bool is_it = !parser.parse(row.json, row.line, fields) && fields.id == id;
      if (is_it) found.text = fields.text;
    }
  });
  return found;
}

Explained explained(const Decision& decision, const Source& source) {
  Explained out;
  out.row = read_row(source, decision.input, decision.line, decision.id);
  out.kept = decision.kept();
  out.stage = decision.stage;
  if (!out.kept) out.rules.push_back({decision.rule, decision.value, decision.threshold});
  for (std::size_t i = 1; i < decision.failed.size(); ++i) {
    const Failure& failure = decision.failed[i];
    out.rules.push_back({failure.rule, failure.value, failure.threshold});
  }
  for (const Edit& edit : decision.edited) out.edits.push_back({edit.stage, edit.rule, edit.count});
  if (decision.evaluation) {
    out.evaluation = HeldEvaluation{decision.evaluation->file, decision.evaluation->match,
                                    decision.evaluation->line};
  }
  if (decision.is_duplicate())
    out.stays = read_row(source, decision.kept_input, decision.kept_line, decision.kept_id);
  return out;
}

/// Part of a line, and the columns of a terminal that it takes.
struct Piece {
  std::string text;
  std::size_t width = 0;
  void add(const Piece& more) {
    text += more.text;
    width += more.width;
  }
};

/// Breaks a text into lines of at most kColumn columns: at white space, and beside wide characters,
/// which need none, but for a punctuation mark after one. A word that is wider is cut.
class Wrapper {
 public:
  std::vector<std::string> wrap(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      const char32_t character = next_character(text, at);
      add(character, clip(text.substr(begin, at - begin), 1));
    }
    end_word();
    std::vector<std::string> lines;
    for (Piece& line : lines_) lines.push_back(std::move(line.text));
    if (lines.size() > kLines) {
      lines.resize(kLines);
      lines.back() = "…";
    }
    return lines;
  }

 private:
  void add(char32_t character, std::string shown) {
    const Piece piece{shown, display_width(shown)};
    const CharacterClass kind = class_of(character);
    if (kind == CharacterClass::space) {
      end_word();
      if (character == U'\n') {
        lines_.emplace_back();
        gap_ = {};
      } else {
        gap_.add(piece);
      }
      return;
    }
    const bool wide = piece.width > 1;
    if ((wide || after_wide_) && kind != CharacterClass::punctuation) end_word();
    if (word_.width + piece.width > kColumn) end_word();
    word_.add(piece);
    after_wide_ = wide;
  }

  void end_word() {
    after_wide_ = false;
    if (word_.text.empty()) return;
    if (lines_.back().width + gap_.width + word_.width > kColumn) {
      if (lines_.back().width > 0) lines_.emplace_back();
      gap_ = {};
    }
    lines_.back().add(gap_);
    lines_.back().add(word_);
    gap_ = word_ = {};
  }

  std::vector<Piece> lines_{1};
  Piece gap_, word_;  // to come: white space, and what is not broken
  bool after_wide_ = false;
};

std::vector<std::string> wrapped(const std::string& text) { return Wrapper().wrap(text); }

std::string padded(const std::string& line) {
  return line + std::string(kColumn - std::min(display_width(line), kColumn), ' ');
}

std::string place_of(const ExplainedRow& row) {
  return fs::path(row.file).filename().string() + ":" + std::to_string(row.line) + "  id " +
         clip(row.id, 24);
}

std::string in_columns(std::vector<std::string> left, std::vector<std::string> right) {
  left.resize(std::max(left.size(), right.size()));
  right.resize(left.size());
  std::string out;
  for (std::size_t i = 0; i < left.size(); ++i)
    out += "  " + padded(left[i]) + " │ " + right[i] + "\n";
  return out;
}

std::string side_by_side(const ExplainedRow& left, const ExplainedRow& right) {
  return in_columns(wrapped("dropped: " + place_of(left)), wrapped("stays: " + place_of(right))) +
         in_columns(wrapped(left.text), wrapped(right.text));
}

std::string block(const std::string& text) {
  std::string out;
  for (const std::string& line : wrapped(text)) out += "  " + line + "\n";
  return out;
}

}  // namespace

std::string Explanation::text() const {
  std::string out;
  for (const Explained& explained : rows) {
    out += place_of(explained.row) + ": " +
           (explained.kept ? "kept" : "dropped by " + explained.stage);
    for (const BrokenRule& rule : explained.rules) {
      out += (&rule == &explained.rules.front() ? ": " : "; ") + rule.rule + " (" +
             shortest(rule.value) + ", threshold " + shortest(rule.threshold) + ")";
    }
    for (const EditingRule& edit : explained.edits) {
      out += (&edit == &explained.edits.front() ? "; edited by " : ", ") + edit.stage + "." +
             edit.rule + " (" + std::to_string(edit.count) + ")";
    }
    out += "\n" + (explained.stays ? side_by_side(explained.row, *explained.stays)
                                   : block(explained.row.text));
    if (explained.evaluation) {
      const HeldEvaluation& held = *explained.evaluation;
      out += "holds " + held.file + ":" + std::to_string(held.line) + "\n" + block(held.match);
    }
  }
  return out;
}

Explanation explain(const ExplainConfig& config) {
  if (config.run.empty() || config.id.empty()) {
    fail(ErrorKind::config, "cupel curate explain", "no run or no id is named",
         "write cupel curate explain RUN ID");
  }
  const fs::path path = fs::path(config.run) / "decisions.jsonl";
  if (!fs::exists(path)) {
    fail(ErrorKind::config, config.run, "holds no decisions.jsonl",
         "name the folder of a run of curate");
  }
  const auto decisions = find_decisions(path, config.id, static_cast<std::size_t>(config.rows));
  if (decisions.empty()) {
    fail(ErrorKind::config, path.string(), "no row has the id \"" + clip(config.id, 80) + "\"",
         "ids are those of id_field, or line numbers where rows have none");
  }
  const Source source = source_of(config.run);
  Explanation explanation;
  for (const Decision& decision : decisions)
    explanation.rows.push_back(explained(decision, source));
  return explanation;
}

}  // namespace cupel::curate

#include "curate/score.h"

#include "base/error.h"
#include "base/stats.h"
#include "base/text.h"
#include "data/read.h"

namespace cupel::curate {
namespace {

bool is_valid(const std::string& kind) { return kind == "clean" || kind == "valid"; }

std::string text_of(const json::Value& row, std::string_view column, const std::string& name) {
  const json::Value* value = row.find(column);
  if (value != nullptr && value->is_int()) return std::to_string(value->as_int(name));
  return value == nullptr || value->is_null() ? "" : value->as_string(name);
}

}  // namespace

Truth::Truth(const std::filesystem::path& path) : name_(path.string()) {
  for_each_row(
      path, {},
      [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
        const std::string where = name_ + ":" + std::to_string(line);
        const std::string id = text_of(row, "id", where), kind = text_of(row, "kind", where);
        if (id.empty() || kind.empty()) {
          fail(ErrorKind::data, where, "no id or no kind",
               "give every row both; kind is clean for a valid row");
        }
        if (!rows_.emplace(id, Row{kind, text_of(row, "dup_of", where), false}).second)
          fail(ErrorKind::data, where, "id \"" + clip(id, 80) + "\" stands twice", "remove one");
        return std::nullopt;
      },
      nullptr);
  for (const auto& [id, row] : rows_) {
    if (row.dup_of.empty() || rows_.contains(row.dup_of)) continue;
    fail(ErrorKind::data, name_, "dup_of \"" + clip(row.dup_of, 80) + "\" is no id of the file",
         "name the row that was copied");
  }
}

void Truth::see(const std::string& id, bool kept) {
  const auto found = rows_.find(id);
  if (found == rows_.end()) return;
  seen_ = true;
  found->second.kept = kept;
}

/// Of a row and its copies, one that stays is the valid row, and each further one a copy left over.
Score Truth::score() const {
  if (!seen_) {
    fail(ErrorKind::data, name_, "names no row of the input",
         "give the ids of id_field, or line numbers where the rows have none");
  }
  std::unordered_map<std::string, int64_t> kept_of;  // original → rows of its group that stay
  for (const auto& [id, row] : rows_) {
    if (!row.dup_of.empty()) kept_of[row.dup_of] += row.kept;
  }
  int64_t valid = 0, valid_lost = 0, kept = 0, invalid_kept = 0;
  std::map<std::string, std::pair<int64_t, int64_t>> found;  // kind → found, all
  for (auto& [id, count] : kept_of) count += rows_.at(id).kept;
  for (const auto& [id, row] : rows_) {
    kept += row.kept;
    if (is_valid(row.kind)) {
      const auto group = kept_of.find(id);
      ++valid;
      valid_lost += group == kept_of.end() ? !row.kept : group->second == 0;
      continue;
    }
    auto& [solved, all] = found[row.kind];
    ++all;
    const bool is_copy = !row.dup_of.empty();
    const int64_t others = is_copy ? kept_of.at(row.dup_of) - row.kept : 0;
    // A copy is solved when the group keeps one row: another in its place, or itself alone.
    solved += is_copy ? (row.kept ? others == 0 : others > 0) : !row.kept;
    if (!is_copy) invalid_kept += row.kept;
  }
  for (const auto& [id, count] : kept_of) invalid_kept += std::max<int64_t>(0, count - 1);
  Score score;
  const auto all = static_cast<int64_t>(rows_.size());
  score.invalid_before = share(all - valid, all);
  score.residual = share(invalid_kept, kept);
  score.valid_lost = share(valid_lost, valid);
  for (const auto& [kind, counts] : found) score.recall[kind] = share(counts.first, counts.second);
  return score;
}

}  // namespace cupel::curate

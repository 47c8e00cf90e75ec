// What a reader makes of a file: rows as text, their lines, and the rejects.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "data/read.h"

namespace cupel {

struct ReadRows {
  std::vector<std::string> rows;  // as JSON
  std::vector<int64_t> lines;
  std::vector<std::pair<int64_t, std::string>> rejects;  // line, rule
  std::vector<std::string> rejected_texts;
  ReadCounts counts;
};

inline ReadRows read_rows(const std::filesystem::path& path, const ReadOptions& options = {}) {
  ReadRows result;
  std::vector<Reject> rejects;
  const RowCallback take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    result.rows.push_back(json::dump(row));
    result.lines.push_back(line);
    return std::nullopt;
  };
  result.counts = for_each_row(path, options, take, &rejects);
  for (const Reject& reject : rejects) {
    result.rejects.emplace_back(reject.line, reject.rule);
    result.rejected_texts.push_back(reject.text);
  }
  return result;
}

}  // namespace cupel

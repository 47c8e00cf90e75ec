// decisions.jsonl: one row an input row, written in order, and found again by id.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "curate/decision.h"

namespace cupel::curate {

/// The row as the file has it, with its line end.
std::string to_line(const Decision& decision);

/// The first `limit` decisions on rows of this id. Throws Error{config} if there is no such file,
/// Error{data} for a row that to_line() cannot have written.
std::vector<Decision> find_decisions(const std::filesystem::path& path, const std::string& id,
                                     std::size_t limit);

}  // namespace cupel::curate

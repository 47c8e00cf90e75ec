// The stages that look at one row at a time, in the order in which they decide.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "curate/decision.h"
#include "data/raw_rows.h"

namespace cupel::curate {

/// Lengths count characters, not bytes.
struct FormatConfig {
  int64_t min_chars = 50;
  int64_t max_chars = 1'000'000;
  static constexpr auto fields() {
    using C = FormatConfig;
    return std::tuple{
        Field{"min_chars", &C::min_chars, "drop a shorter text; characters, not bytes", 0, 1e9},
        Field{"max_chars", &C::max_chars, "drop a longer text", 1, 1e9}};
  }
  std::vector<std::string> problems() const;
};

/// Every rule of `config` that the text breaks.
std::vector<Failure> check_length(std::string_view text, const FormatConfig& config);

struct RowStage {
  std::string name;  // key of the report's `dropped`
  /// Every rule that the row breaks; the first decides. Called from many threads at once.
  std::function<std::vector<Failure>(const RowFields& row)> check;
};

}  // namespace cupel::curate

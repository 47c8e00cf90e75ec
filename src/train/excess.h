// Rows longer than a sequence: what becomes of them is chosen, and every row is counted.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "train/sequences.h"
#include "train/train.h"

namespace cupel::train {

/// What became of the rows of a set; they add up.
struct RowCounts {
  int64_t rows = 0, whole = 0, truncated = 0, split = 0, rejected = 0;
};

/// Appends the row, or what is left of it, to `stream` and counts it. `reject` gets the rule of a
/// row that is lost: "nothing_to_learn" without a label, "longer_than_sequence_len" under drop.
/// truncate keeps the first `length` tokens; split makes documents of `length` tokens, of which one
/// without a label is left out. Throws Error{data}, which begins with `where`, for a longer row
/// under raise, or where nothing is chosen.
void append_row(TokenShardWriter& stream, MaskedTokens row, int64_t length,
                std::optional<ExcessLength> strategy, const std::string& where, RowCounts& counts,
                const std::function<void(std::string_view rule)>& reject);

/// "1000 rows: 990 whole, 4 cut short, 6 set aside"
std::string to_text(const RowCounts& counts);

}  // namespace cupel::train

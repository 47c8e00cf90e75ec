#include "train/excess.h"

#include <algorithm>

#include "base/error.h"

namespace cupel::train {
namespace {

/// A label is a learned token that another one stands before.
bool has_label(const MaskedTokens& row) {
  return row.learned.size() > 1 &&
         std::any_of(row.learned.begin() + 1, row.learned.end(), [](uint8_t flag) { return flag; });
}

MaskedTokens part_of(const MaskedTokens& row, std::size_t begin, std::size_t end) {
  const auto from = static_cast<std::ptrdiff_t>(begin), to = static_cast<std::ptrdiff_t>(end);
  return {{row.ids.begin() + from, row.ids.begin() + to},
          {row.learned.begin() + from, row.learned.begin() + to}};
}

[[noreturn]] void fail_too_long(std::size_t tokens, int64_t length,
                                std::optional<ExcessLength> strategy, const std::string& where) {
  fail(ErrorKind::data, where,
       "the row has " + std::to_string(tokens) + " tokens, more than sequence_len " +
           std::to_string(length),
       strategy ? "shorten the row, raise sequence_len or choose another excess_length_strategy"
                : "set excess_length_strategy: drop, truncate, split or raise; or raise "
                  "sequence_len");
}

}  // namespace

void append_row(TokenShardWriter& stream, MaskedTokens row, int64_t length,
                std::optional<ExcessLength> strategy, const std::string& where, RowCounts& counts,
                const std::function<void(std::string_view rule)>& reject) {
  ++counts.rows;
  const auto lose = [&](std::string_view rule) {
    ++counts.rejected;
    reject(rule);
  };
  if (!has_label(row)) return lose("nothing_to_learn");
  const auto most = static_cast<std::size_t>(length);
  if (row.ids.size() <= most) {
    ++counts.whole;
    return append_document(stream, row);
  }
  if (!strategy || *strategy == ExcessLength::raise)
    fail_too_long(row.ids.size(), length, strategy, where);
  if (*strategy == ExcessLength::drop) return lose("longer_than_sequence_len");
  const bool split = *strategy == ExcessLength::split;
  bool kept = false;
  for (std::size_t begin = 0; begin < (split ? row.ids.size() : most); begin += most) {
    const MaskedTokens part = part_of(row, begin, std::min(begin + most, row.ids.size()));
    if (!has_label(part)) continue;
    append_document(stream, part);
    kept = true;
  }
  if (!kept) return lose("nothing_to_learn");
  ++(split ? counts.split : counts.truncated);
}

std::string to_text(const RowCounts& counts) {
  const auto part = [](int64_t count, const char* what) {
    return count == 0 ? std::string() : ", " + std::to_string(count) + what;
  };
  return std::to_string(counts.rows) + " rows: " + std::to_string(counts.whole) + " whole" +
         part(counts.truncated, " cut short") + part(counts.split, " split") +
         part(counts.rejected, " set aside");
}

}  // namespace cupel::train

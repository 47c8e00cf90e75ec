// How many rows of logits the loss holds at once: what the loss computes by and the plan adds up.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cupel::nn {

/// Rows of a chunk of at most 4 MiB of fp32 logits, but 64 at least.
constexpr int64_t cross_entropy_chunk_rows(int64_t rows, int64_t vocabulary) {
  constexpr int64_t kChunkElements = 1 << 20, kLeastRows = 64;
  return std::min(rows, std::max(kLeastRows, kChunkElements / std::max<int64_t>(1, vocabulary)));
}

}  // namespace cupel::nn

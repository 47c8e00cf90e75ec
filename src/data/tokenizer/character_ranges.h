// Tables of ranges of characters, searched by halving.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace cupel {

/// Both ends included.
struct CharacterRange {
  int32_t first, last;
};

/// The row of ascending, disjoint `rows` whose first to last holds `character`, or null.
template <class Row, std::size_t size>
const Row* find_range(const Row (&rows)[size], int32_t character) {
  const Row* at = std::ranges::lower_bound(rows, character, {}, &Row::last);
  return at != std::end(rows) && at->first <= character ? at : nullptr;
}

template <std::size_t size>
bool contains(const CharacterRange (&ranges)[size], int32_t character) {
  return find_range(ranges, character) != nullptr;
}

}  // namespace cupel

// A hash of a text wide enough to stand for it.
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace cupel {

/// xxh3-128, stable across machines: two texts of one corpus that share it are the same text (a
/// chance of 1e-21 among 10^9 texts; no defence against texts made to collide).
struct Hash128 {
  uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};
Hash128 hash128(std::string_view text);

}  // namespace cupel

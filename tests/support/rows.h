// Tiny data sets with known content.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"

namespace cupel {

/// {"id": 0, "text": "…"} one a line, `count` of them; the words come from the seed.
inline std::string jsonl_rows(int count, uint64_t seed = 1) {
  static const std::vector<std::string> words{"gold", "ash", "bone", "heat", "lead", "silver"};
  Rng rng(seed, "test rows");
  std::string out;
  for (int i = 0; i < count; ++i) {
    std::string text;
    const uint64_t length = 3 + rng.below(5);
    for (uint64_t j = 0; j < length; ++j) {
      text += (j > 0 ? " " : "") + words[rng.below(words.size())];
    }
    out += "{\"id\": " + std::to_string(i) + ", \"text\": \"" + text + "\"}\n";
  }
  return out;
}

/// Doubles in [low, high), the same for the same seed.
inline std::vector<double> uniform_values(std::size_t count, double low, double high,
                                          uint64_t seed = 1) {
  Rng rng(seed, "test values");
  std::vector<double> values(count);
  for (double& value : values) value = low + (high - low) * rng.uniform();
  return values;
}

}  // namespace cupel

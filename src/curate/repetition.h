// How much of a text repeats itself: n-grams of words, as Gopher measures them.
#pragma once

#include <array>

#include "curate/text_counts.h"

namespace cupel::curate {

/// Shares in [0, 1] of the characters of all words. Rae et al. 2021 (Gopher), table A1.
struct Repetition {
  /// Of all occurrences of that 2-, 3-, 4-gram, among those that occur twice, which fills most.
  std::array<double, 3> top_grams{};
  /// Of 5- to 10-grams that stood before in the text, no character counted twice.
  std::array<double, 6> duplicate_grams{};
};

/// In a text without spaces two characters make a word, so an n-gram is 2n of them. Read are the
/// first 131,072 words: more than the 100,000 that Gopher allows a text.
/// Exact and quick: an n-gram can occur twice only if the (n-1)-gram at its place does, so only the
/// places that are left are looked up for the next n; in most texts few are left after n = 2.
Repetition measure_repetition(const TextCounts& counts);

}  // namespace cupel::curate

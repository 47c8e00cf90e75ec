// One reading of a text: its characters by class and its words, for every rule to ask.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cupel::curate {

struct CountedWord {
  uint64_t hash;        // of its bytes, case as written
  uint32_t characters;  // code points
};

/// Counts are of code points. A malformed byte is a replacement character.
struct TextCounts {
  int64_t characters = 0;
  int64_t width = 0;  // characters, those of scripts without spaces (is_word_alone) twice
  int64_t letters = 0, digits = 0, punctuation = 0, symbols = 0, spaces = 0;  // marks are letters
  int64_t controls = 0;      // Cc but for white space, and private use
  int64_t replacements = 0;  // U+FFFD
  int64_t repeated = 0;      // equal to the character before them, but for white space
  int64_t hashes = 0;        // '#'
  int64_t ellipses = 0;      // "...", "…"
  int64_t curly_brackets = 0;

  std::vector<CountedWord> words;  // those of next_word(), in order
  int64_t word_characters = 0;     // sum over words
  int64_t words_alone = 0;         // of scripts without spaces
  int64_t words_with_letter = 0;
  uint32_t gopher_stop_words = 0;  // bit i: the i-th of the, be, to, of, and, that, have, with

  int64_t visible() const { return characters - spaces; }
  /// Most words are single characters, as in Chinese. Two of them are as long as a word is.
  bool is_unspaced() const { return 2 * words_alone > static_cast<int64_t>(words.size()); }
  /// Words, two characters of a script without spaces for one.
  double word_count() const {
    return static_cast<double>(words.size()) - static_cast<double>(words_alone) / 2;
  }
};

TextCounts count_text(std::string_view text);

/// TextCounts::width alone.
int64_t text_width(std::string_view text);

}  // namespace cupel::curate

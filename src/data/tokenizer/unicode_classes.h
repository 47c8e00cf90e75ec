// What the characters of a text are, as the patterns of a tokenizer.json see them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cupel {

/// Kinds that patterns ask for: bits of classes_of().
enum UnicodeClass : uint8_t {
  kLetter = 1,       // \p{L}
  kMark = 2,         // \p{M}
  kNumber = 4,       // \p{N}
  kPunctuation = 8,  // \p{P}
  kSymbol = 16,      // \p{S}
  kSpace = 32,       // \s: White_Space
  kLineBreak = 64,   // \r and \n
};

/// Of a character, by Unicode 16, which the reference implementation's patterns have.
uint8_t classes_of(int32_t character);

/// The characters of \p{category} that came after Unicode 14, as a pattern spells them inside of
/// brackets: what PCRE2 of Debian 12 lacks. `category` has one letter or two.
std::string later_characters(std::string_view category);

/// \w of Unicode technical standard 18: letters, marks, digits, connecting punctuation, joiners.
bool is_word_character(int32_t character);
bool is_white_space(int32_t character);
/// Nd, Nl and No of Unicode 17, as Rust's char::is_numeric has them.
bool is_numeric(int32_t character);
/// Lower case of Unicode 17, appended as UTF-8: of U+0130 two characters, of others one.
void append_lower_case(int32_t character, std::string& out);

/// The character that begins at `at` of valid UTF-8, which moves past it.
inline int32_t take_character(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const int32_t first = byte(0);
  if (first < 0x80) return ++at, first;
  const auto rest = [&](std::size_t i) { return static_cast<int32_t>(byte(i) & 0x3f); };
  int32_t character;
  if (first < 0xe0) {
    character = (first & 0x1f) << 6 | rest(1);
    at += 2;
  } else if (first < 0xf0) {
    character = (first & 0x0f) << 12 | rest(1) << 6 | rest(2);
    at += 3;
  } else {
    character = (first & 0x07) << 18 | rest(1) << 12 | rest(2) << 6 | rest(3);
    at += 4;
  }
  return character;
}

void append_character(int32_t character, std::string& out);

}  // namespace cupel

// Code points and words of a text in any script, and the form in which two texts are compared.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cupel {

/// General category of Unicode, as far as filters of text tell characters apart.
enum class CharacterClass : uint8_t { letter, mark, digit, punctuation, symbol, space, control };

namespace unicode_detail {

constexpr CharacterClass ascii_class(char32_t c) {
  constexpr std::string_view kSymbols = "$+<=>^`|~";
  if (c == ' ' || (c >= '\t' && c <= '\r')) return CharacterClass::space;
  if (c < ' ' || c == 0x7F) return CharacterClass::control;
  if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) return CharacterClass::letter;
  if (c >= '0' && c <= '9') return CharacterClass::digit;
  return kSymbols.find(static_cast<char>(c)) != std::string_view::npos
             ? CharacterClass::symbol
             : CharacterClass::punctuation;
}

inline constexpr auto kAsciiClasses = [] {
  std::array<CharacterClass, 128> classes{};
  for (char32_t c = 0; c < classes.size(); ++c) classes[c] = ascii_class(c);
  return classes;
}();

char32_t next_beyond_ascii(std::string_view text, std::size_t& at);
CharacterClass class_beyond_ascii(char32_t character);

}  // namespace unicode_detail

/// The character at `at`, which moves past it. Text is valid UTF-8; a malformed byte gives U+FFFD.
inline char32_t next_character(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte >= 0x80) return unicode_detail::next_beyond_ascii(text, at);
  ++at;
  return byte;
}

/// space: Z* and the white controls \t \n \v \f \r and U+0085. control: Cc, Cf, Cs, Co, Cn.
/// digit: N*, so ① and Ⅷ too.
inline CharacterClass class_of(char32_t character) {
  return character < 0x80 ? unicode_detail::kAsciiClasses[character]
                          : unicode_detail::class_beyond_ascii(character);
}

/// Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: scripts without spaces between words, where
/// each character counts as a word. (Hangul has spaces.)
bool is_word_alone(char32_t character);

/// Number of characters.
std::size_t count_characters(std::string_view text);

/// Columns of a terminal that the text takes: two for a wide character, none for a mark.
std::size_t display_width(std::string_view text);

/// NFKC_Casefold (Unicode 15, section 3.13; default-ignorable characters go), each run of white
/// space one space, none at the ends. Texts that differ in case, width, ligatures, soft hyphens or
/// spacing have the same form. Idempotent. Malformed bytes become U+FFFD.
std::string normal_form(std::string_view text);

/// The next word at or after `at`, which moves past it: a run of letters, marks and digits, with
/// apostrophes between letters, or one character that is_word_alone(). Empty at the end.
std::string_view next_word(std::string_view text, std::size_t& at);

}  // namespace cupel

// Code points and words of a text in any script, and the form in which two texts are compared.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace cupel {

/// General category of Unicode, as far as filters of text tell characters apart.
enum class CharacterClass : uint8_t { letter, mark, digit, punctuation, symbol, space, control };

/// The character at `at`, which moves past it. Text is valid UTF-8; a malformed byte gives U+FFFD.
char32_t next_character(std::string_view text, std::size_t& at);

/// space: Z* and the white controls \t \n \v \f \r and U+0085. control: Cc, Cf, Cs, Co, Cn.
/// digit: N*, so ① and Ⅷ too.
CharacterClass class_of(char32_t character);

/// Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar: scripts without spaces between words, where
/// each character counts as a word. (Hangul has spaces.)
bool is_word_alone(char32_t character);

/// Number of characters.
std::size_t count_characters(std::string_view text);

/// NFKC_Casefold (Unicode 15, section 3.13; default-ignorable characters go), each run of white
/// space one space, none at the ends. Texts that differ in case, width, ligatures, soft hyphens or
/// spacing have the same form. Idempotent. Malformed bytes become U+FFFD.
std::string normal_form(std::string_view text);

/// The next word at or after `at`, which moves past it: a run of letters, marks and digits, with
/// apostrophes between letters, or one character that is_word_alone(). Empty at the end.
std::string_view next_word(std::string_view text, std::size_t& at);

}  // namespace cupel

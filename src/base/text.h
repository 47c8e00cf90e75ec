// Small questions about text that several files ask: is it UTF-8, cut it, print a number shortest.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cupel {

/// Bytes at the front that are well-formed UTF-8: the text's size if all of it is.
std::size_t valid_utf8_prefix(std::string_view text);

/// U+FFFD in UTF-8: what stands for bytes that are none.
inline constexpr std::string_view kReplacementUtf8 = "\xEF\xBF\xBD";

/// Of ASCII, in every locale.
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_letter(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); }
constexpr bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

/// The first `characters` code points, with "…" if anything was cut; bytes that are no UTF-8 become
/// U+FFFD and control characters spaces, so the result fits on a line of a terminal or a log.
std::string clip(std::string_view text, std::size_t characters);

/// The shortest decimal text that reads back equal, with ".0" where it would look like an integer;
/// "inf", "-inf", "nan" for what is not finite.
std::string shortest(double value);

/// "line:column" of a byte offset, both from 1; the column counts bytes.
std::string line_and_column(std::string_view text, std::size_t offset);

}  // namespace cupel

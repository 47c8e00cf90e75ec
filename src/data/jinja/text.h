// What Python's str does, on UTF-8: positions and lengths count code points.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cupel::jinja {

/// Bytes of white space, as str.isspace() has it, at the front and at the end.
std::size_t leading_space(std::string_view text);
std::size_t trailing_space(std::string_view text);

/// Python's escapes in a string of a template: \n, \x41, \u00e9, …; unknown ones stay.
std::string unescape(std::string_view text);

/// Byte offset of each character, and one more: the end.
std::vector<std::size_t> character_offsets(std::string_view text);

/// One code point as UTF-8; a surrogate, which no text holds, becomes U+FFFD.
std::string encode_utf8(char32_t character);

/// Cuts the characters that are in `set` off the ends; an empty set: white space.
std::string_view strip(std::string_view text, std::string_view set, bool left, bool right);

/// str.split: at white space where `separator` is empty. `most` < 0: at every one. From the right
/// with `reverse`, which matters only if `most` counts.
std::vector<std::string_view> split(std::string_view text, std::string_view separator, int64_t most,
                                    bool reverse);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);

/// The first `most` (all, if negative) places of `from` become `to`; an empty `from` stands before
/// every character and at the end.
std::string replace(std::string_view text, std::string_view from, std::string_view to,
                    int64_t most);

/// By the simple mapping of each character; ß becomes SS, but the other characters whose capital
/// is several are left as they are.
std::string upper(std::string_view text);
std::string lower(std::string_view text);
/// The first character upper, the others lower.
std::string capitalize(std::string_view text);
/// The first letter of each run of letters upper (str.title) …
std::string title(std::string_view text);
/// … or of each word after white space, brackets and hyphens (the filter `title`).
std::string title_filter(std::string_view text);

/// Whether Python's repr shows the character itself.
bool is_printable(char32_t character);
bool is_letter(char32_t character);
bool is_upper(char32_t character);
bool is_lower(char32_t character);

}  // namespace cupel::jinja

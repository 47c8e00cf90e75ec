#include "data/jinja/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <optional>

#include "data/unicode.h"

namespace cupel::jinja {
namespace {

/// str.isspace(): bidirectional types WS, B, S and category Zs.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 ||
         c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
         c == 0x205F || c == 0x3000;
}

/// Begin of the character that ends before `end`.
std::size_t character_before(std::string_view text, std::size_t end) {
  std::size_t begin = end - 1;
  while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
  return begin;
}

/// Whether str.splitlines() ends a line here.
bool is_line_end(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 ||
         c == 0x2029;
}

char32_t to_upper(char32_t c) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c)));
}
char32_t to_lower(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else {
    out += encode_utf8(c);
  }
}

constexpr char32_t kSharpS = 0xDF;

void append_upper(std::string& out, char32_t c) {
  if (c == kSharpS) {
    out += "SS";
  } else {
    append(out, to_upper(c));
  }
}

/// What stands in `text` from `at` on as `digits` hexadecimal digits; then `at` is behind them.
std::optional<char32_t> take_hex(std::string_view text, std::size_t& at, std::size_t digits) {
  if (text.size() - at < digits) return std::nullopt;
  uint32_t value = 0;
  for (const char c : text.substr(at, digits)) {
    const char low = static_cast<char>(c | 0x20);
    const bool letter = low >= 'a' && low <= 'f';
    if (!letter && !(c >= '0' && c <= '9')) return std::nullopt;
    value = value * 16 + static_cast<uint32_t>(letter ? low - 'a' + 10 : c - '0');
  }
  if (value > 0x10FFFF) return std::nullopt;
  at += digits;
  return static_cast<char32_t>(value);
}

char32_t take_octal(std::string_view text, std::size_t& at) {
  char32_t value = 0;
  for (int i = 0; i < 3 && at < text.size() && text[at] >= '0' && text[at] <= '7'; ++i)
    value = value * 8 + static_cast<char32_t>(text[at++] - '0');
  return value;
}

}  // namespace

std::size_t leading_space(std::string_view text) {
  std::size_t at = 0, space = 0;
  while (at < text.size() && is_space(next_character(text, at))) space = at;
  return space;
}

std::size_t trailing_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    const std::size_t begin = character_before(text, end);
    std::size_t at = begin;
    if (!is_space(next_character(text, at))) break;
    end = begin;
  }
  return text.size() - end;
}

std::string unescape(std::string_view text) {
  constexpr std::string_view kLetters = "abfnrtv\\'\"", kMeanings = "\a\b\f\n\r\t\v\\'\"";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at++];
    if (c != '\\' || at == text.size()) {
      out += c;
      continue;
    }
    const char kind = text[at++];
    if (const std::size_t letter = kLetters.find(kind); letter != std::string_view::npos) {
      out += kMeanings[letter];
    } else if (kind >= '0' && kind <= '7') {
      append(out, take_octal(text, --at));
    } else if (kind != '\n') {  // which, escaped, is nothing
      const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
      const auto code = digits == 0 ? std::nullopt : take_hex(text, at, digits);
      if (code) {
        append(out, *code);
      } else {
        out += {'\\', kind};
      }
    }
  }
  return out;
}

std::vector<std::size_t> character_offsets(std::string_view text) {
  std::vector<std::size_t> offsets;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((text[at] & 0xC0) != 0x80) offsets.push_back(at);
  }
  offsets.push_back(text.size());
  return offsets;
}

std::string encode_utf8(char32_t character) {
  const bool surrogate = character >= 0xD800 && character < 0xE000;
  utf8proc_uint8_t bytes[4];
  const auto size =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(surrogate ? 0xFFFD : character), bytes);
  return std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
}

std::string_view strip(std::string_view text, std::string_view set, bool left, bool right) {
  if (set.empty()) {
    if (left) text.remove_prefix(leading_space(text));
    if (right) text.remove_suffix(trailing_space(text));
    return text;
  }
  // Whole characters are looked for, and UTF-8 holds none inside another.
  const auto in_set = [&](std::size_t begin, std::size_t end) {
    return set.find(text.substr(begin, end - begin)) != std::string_view::npos;
  };
  while (left && !text.empty()) {
    std::size_t end = 0;
    next_character(text, end);
    if (!in_set(0, end)) break;
    text.remove_prefix(end);
  }
  while (right && !text.empty()) {
    const std::size_t begin = character_before(text, text.size());
    if (!in_set(begin, text.size())) break;
    text.remove_suffix(text.size() - begin);
  }
  return text;
}

namespace {

std::vector<std::string_view> split_at_space(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  text.remove_prefix(leading_space(text));
  while (!text.empty()) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(text);  // str.split leaves the blanks at its end
      break;
    }
    std::size_t end = 0, at = 0;
    while (at < text.size() && !is_space(next_character(text, at))) end = at;
    parts.push_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(leading_space(text));
  }
  return parts;
}

std::vector<std::string_view> split_at_space_from_right(std::string_view text, int64_t most) {
  std::vector<std::string_view> parts;
  text.remove_suffix(trailing_space(text));
  while (!text.empty()) {
    if (most >= 0 && static_cast<int64_t>(parts.size()) == most) {
      parts.push_back(text);
      break;
    }
    std::size_t begin = text.size();
    while (begin > 0) {
      const std::size_t before = character_before(text, begin);
      std::size_t at = before;
      if (is_space(next_character(text, at))) break;
      begin = before;
    }
    parts.push_back(text.substr(begin));
    text.remove_suffix(text.size() - begin);
    text.remove_suffix(trailing_space(text));
  }
  std::ranges::reverse(parts);
  return parts;
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, std::string_view separator, int64_t most,
                                    bool reverse) {
  if (separator.empty())
    return reverse ? split_at_space_from_right(text, most) : split_at_space(text, most);
  std::vector<std::string_view> parts;
  while (most < 0 || static_cast<int64_t>(parts.size()) < most) {
    const std::size_t at = reverse ? text.rfind(separator) : text.find(separator);
    if (at == std::string_view::npos) break;
    const std::string_view before = text.substr(0, at), behind = text.substr(at + separator.size());
    parts.push_back(reverse ? behind : before);
    text = reverse ? before : behind;
  }
  parts.push_back(text);
  if (reverse) std::ranges::reverse(parts);
  return parts;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at;
    if (!is_line_end(next_character(text, at))) continue;
    if (text[end] == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(begin, (keep_ends ? at : end) - begin));
    begin = at;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string replace(std::string_view text, std::string_view from, std::string_view to,
                    int64_t most) {
  std::string out;
  std::size_t done = 0;
  for (std::size_t at = 0; most != 0 && at <= text.size(); --most) {
    if (from.empty()) {
      out += to;
      if (at == text.size()) break;
      next_character(text, at);
      out += text.substr(done, at - done);
    } else {
      const std::size_t found = text.find(from, at);
      if (found == std::string_view::npos) break;
      out += text.substr(done, found - done);
      out += to;
      at = found + from.size();
    }
    done = at;
  }
  return out += text.substr(done);
}

std::string upper(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) append_upper(out, next_character(text, at));
  return out;
}

std::string lower(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) append(out, to_lower(next_character(text, at)));
  return out;
}

std::string capitalize(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const bool first = at == 0;
    const char32_t c = next_character(text, at);
    if (first) {
      append_upper(out, c);
    } else {
      append(out, to_lower(c));
    }
  }
  return out;
}

std::string title(std::string_view text) {
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (inside) {
      append(out, to_lower(c));
    } else {
      append_upper(out, c);
    }
    inside = is_upper(c) || is_lower(c);
  }
  return out;
}

std::string title_filter(std::string_view text) {
  constexpr std::u32string_view kBefore = U"-({[<";
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_character(text, at);
    if (inside) {
      append(out, to_lower(c));
    } else {
      append_upper(out, c);
    }
    inside = !is_space(c) && kBefore.find(c) == std::u32string_view::npos;
  }
  return out;
}

bool is_printable(char32_t character) {
  if (character == U' ') return true;
  const CharacterClass kind = class_of(character);
  return kind != CharacterClass::control && kind != CharacterClass::space;
}

bool is_letter(char32_t character) { return class_of(character) == CharacterClass::letter; }

bool is_upper(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character)) == UTF8PROC_CATEGORY_LU;
}

bool is_lower(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character)) == UTF8PROC_CATEGORY_LL;
}

}  // namespace cupel::jinja

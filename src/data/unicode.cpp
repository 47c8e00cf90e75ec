#include "data/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "base/error.h"
#include "data/utf8.h"

namespace cupel {
namespace {

constexpr char32_t kReplacementCharacter = 0xFFFD;

bool is_ascii(char byte) { return static_cast<unsigned char>(byte) < 0x80; }

CharacterClass class_by_table(char32_t character) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(character))) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharacterClass::letter;
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return CharacterClass::mark;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharacterClass::digit;
    case UTF8PROC_CATEGORY_PC:
    case UTF8PROC_CATEGORY_PD:
    case UTF8PROC_CATEGORY_PS:
    case UTF8PROC_CATEGORY_PE:
    case UTF8PROC_CATEGORY_PI:
    case UTF8PROC_CATEGORY_PF:
    case UTF8PROC_CATEGORY_PO:
      return CharacterClass::punctuation;
    case UTF8PROC_CATEGORY_SM:
    case UTF8PROC_CATEGORY_SC:
    case UTF8PROC_CATEGORY_SK:
    case UTF8PROC_CATEGORY_SO:
      return CharacterClass::symbol;
    case UTF8PROC_CATEGORY_ZS:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
      return CharacterClass::space;
    default:
      return CharacterClass::control;
  }
}

bool is_white_control(char32_t character) {
  return (character >= 0x09 && character <= 0x0D) || character == 0x85;
}

const std::array<CharacterClass, 128>& ascii_classes() {
  static const std::array<CharacterClass, 128> classes = [] {
    std::array<CharacterClass, 128> made{};
    for (char32_t c = 0; c < made.size(); ++c)
      made[c] = is_white_control(c) ? CharacterClass::space : class_by_table(c);
    return made;
  }();
  return classes;
}

bool within(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

bool is_part_of_word(char32_t character) {
  const CharacterClass c = class_of(character);
  return c == CharacterClass::letter || c == CharacterClass::mark || c == CharacterClass::digit;
}

/// An apostrophe between two letters, as in "don't", belongs to the word.
bool joins_letters(std::string_view text, char32_t character, std::size_t after) {
  if ((character != U'\'' && character != 0x2019) || after >= text.size()) return false;
  const char32_t next = next_character(text, after);
  return class_of(next) == CharacterClass::letter && !is_word_alone(next);
}

/// NFKC_Casefold of a piece that holds a character beyond ASCII.
void append_folded(std::string_view piece, std::string& out) {
  const std::string clean = find_invalid_utf8(piece) ? replace_invalid_utf8(piece) : std::string();
  const std::string_view valid = clean.empty() ? piece : std::string_view(clean);
  utf8proc_uint8_t* mapped = nullptr;
  constexpr auto kOptions = static_cast<utf8proc_option_t>(
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE);
  const utf8proc_ssize_t size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
                   static_cast<utf8proc_ssize_t>(valid.size()), &mapped, kOptions);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  CUPEL_ASSERT(size >= 0);
  out.append(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
}

/// Case and compatibility folded; white space as it was. An ASCII character composes only with what
/// follows it, so each run beyond ASCII is folded together with the one before it.
std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t at = 0;
  while (at < text.size()) {
    if (is_ascii(text[at]) && (at + 1 == text.size() || is_ascii(text[at + 1]))) {
      const char c = text[at++];
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
      continue;
    }
    std::size_t end = at + 1;
    while (end < text.size() && !is_ascii(text[end])) ++end;
    append_folded(text.substr(at, end - at), out);
    at = end;
  }
  return out;
}

/// In place; valid UTF-8 stays so.
void collapse_white_space(std::string& text) {
  std::size_t write = 0;
  bool pending = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    if (class_of(next_character(text, at)) == CharacterClass::space) {
      pending = write > 0;
      continue;
    }
    if (pending) text[write++] = ' ';
    pending = false;
    for (std::size_t i = begin; i < at; ++i) text[write++] = text[i];
  }
  text.resize(write);
}

}  // namespace

char32_t next_character(std::string_view text, std::size_t& at) {
  const unsigned char lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  utf8proc_int32_t character = 0;
  const auto rest = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     rest, &character);
  at += size > 0 ? static_cast<std::size_t>(size) : 1;
  return size > 0 ? static_cast<char32_t>(character) : kReplacementCharacter;
}

CharacterClass class_of(char32_t character) {
  if (character < 0x80) return ascii_classes()[character];
  if (is_white_control(character)) return CharacterClass::space;
  return class_by_table(character);
}

bool is_word_alone(char32_t character) {
  if (character < 0x0E00) return false;
  return within(character, 0x0E00, 0x0EFF) ||           // Thai, Lao
         within(character, 0x1000, 0x109F) ||           // Myanmar
         within(character, 0x1780, 0x17FF) ||           // Khmer
         character == 0x3005 || character == 0x3007 ||  // 々 〇
         within(character, 0x3041, 0x30FF) ||           // Hiragana, Katakana
         within(character, 0x31F0, 0x31FF) ||           // Katakana extensions
         within(character, 0x3400, 0x4DBF) ||           // Han, extension A
         within(character, 0x4E00, 0x9FFF) ||           // Han
         within(character, 0xF900, 0xFAFF) ||           // Han, compatibility
         within(character, 0xFF66, 0xFF9D) ||           // Katakana of half width
         within(character, 0x20000, 0x3FFFD);           // Han, further extensions
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string normal_form(std::string_view text) {
  std::string form = folded(text);
  collapse_white_space(form);
  return form;
}

std::string_view next_word(std::string_view text, std::size_t& at) {
  while (at < text.size()) {
    const std::size_t begin = at;
    const char32_t first = next_character(text, at);
    if (!is_part_of_word(first)) continue;
    if (is_word_alone(first)) return text.substr(begin, at - begin);
    bool after_letter = class_of(first) == CharacterClass::letter;
    while (at < text.size()) {
      std::size_t after = at;
      const char32_t character = next_character(text, after);
      const bool joins = after_letter && joins_letters(text, character, after);
      if (!joins && (!is_part_of_word(character) || is_word_alone(character))) break;
      after_letter = class_of(character) == CharacterClass::letter;
      at = after;
    }
    return text.substr(begin, at - begin);
  }
  return {};
}

}  // namespace cupel

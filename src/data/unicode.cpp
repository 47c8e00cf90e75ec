#include "data/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"
#include "data/utf8.h"

namespace cupel {
namespace {

constexpr char32_t kReplacementCharacter = 0xFFFD;

bool is_ascii_byte(char byte) { return static_cast<unsigned char>(byte) < 0x80; }

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

bool within(char32_t character, char32_t first, char32_t last) {
  return character >= first && character <= last;
}

bool is_part(CharacterClass c) {
  return c == CharacterClass::letter || c == CharacterClass::mark || c == CharacterClass::digit;
}

/// Han that Unicode has had since version 11: a letter, which no folding changes and which composes
/// with nothing.
bool is_plain_han(char32_t character) { return within(character, 0x4E00, 0x9FEF); }

/// An apostrophe between two letters, as in "don't", belongs to the word.
bool joins_letters(std::string_view text, char32_t character, std::size_t after) {
  if ((character != U'\'' && character != 0x2019) || after >= text.size()) return false;
  const char32_t next = next_character(text, after);
  return class_of(next) == CharacterClass::letter && !is_word_alone(next);
}

/// NFKC_Casefold of a piece that holds a character beyond ASCII.
std::string folded(std::string_view piece) {
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
  return {reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size)};
}

/// Eight bytes at a time, the first of them lowest.
constexpr uint64_t kOnes = 0x0101010101010101, kTops = 0x8080808080808080;
static_assert(std::endian::native == std::endian::little);

uint64_t eight_bytes(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// Writes a normal form piece by piece; what is white space becomes one space.
class FormWriter {
 public:
  explicit FormWriter(std::size_t expected) : out_(expected + 8, '\0') {}

  /// ASCII; the common case takes eight bytes at a time.
  void add_ascii(std::string_view text) {
    make_room(text.size());
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8) {
      if (!add_eight(eight_bytes(text.data() + at))) add_each(text.substr(at, 8));
    }
    add_each(text.substr(at));
  }

  void add(std::string_view text) {
    make_room(text.size());
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t begin = at;
      if (class_of(next_character(text, at)) == CharacterClass::space) {
        add_space();
        continue;
      }
      for (std::size_t i = begin; i < at; ++i) out_[size_++] = text[i];
      after_space_ = false;
    }
  }

  /// Of valid UTF-8 without white space, as they are.
  void add_letters(std::string_view text) {
    if (text.empty()) return;
    make_room(text.size());
    std::memcpy(out_.data() + size_, text.data(), text.size());
    size_ += text.size();
    after_space_ = false;
  }

  std::string finish() {
    out_.resize(size_ - (size_ > 0 && after_space_));
    return std::move(out_);
  }

 private:
  void make_room(std::size_t bytes) {
    if (out_.size() < size_ + bytes + 8) out_.resize(2 * (size_ + bytes + 8));
  }

  void add_space() {
    if (!after_space_) out_[size_++] = ' ';
    after_space_ = true;
  }

  void add_each(std::string_view ascii) {
    for (const char c : ascii) {
      if (class_of(static_cast<unsigned char>(c)) == CharacterClass::space) {
        add_space();
        continue;
      }
      out_[size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      after_space_ = false;
    }
  }

  /// False for bytes among which are control characters or a space after a space.
  bool add_eight(uint64_t word) {
    const uint64_t controls = (word - 0x20 * kOnes) & ~word & kTops;
    const uint64_t others = (word ^ (0x20 * kOnes)) + 0x7F * kOnes;  // top bit: no space
    const uint64_t spaces = ~others & kTops;
    const uint64_t after = (spaces << 8) | (after_space_ ? 0x80u : 0u);
    if (controls != 0 || (spaces & after) != 0) return false;
    const uint64_t from_a = word + (0x80 - 'A') * kOnes, past_z = word + (0x7F - 'Z') * kOnes;
    word |= (from_a & ~past_z & kTops) >> 2;
    std::memcpy(out_.data() + size_, &word, sizeof word);
    size_ += sizeof word;
    after_space_ = (spaces >> 63) != 0;
    return true;
  }

  std::string out_;  // of which size_ bytes are written
  std::size_t size_ = 0;
  bool after_space_ = true;  // at the beginning too: no space stands there
};

/// The end of the ASCII characters from `at` on.
std::size_t ascii_end(std::string_view text, std::size_t at) {
  while (at + 8 <= text.size() && (eight_bytes(text.data() + at) & kTops) == 0) at += 8;
  while (at < text.size() && is_ascii_byte(text[at])) ++at;
  return at;
}

/// The end of the characters from `at` on that are beyond ASCII and no plain Han.
std::size_t others_end(std::string_view text, std::size_t at) {
  for (std::size_t next = at; at < text.size() && !is_ascii_byte(text[at]); at = next) {
    if (is_plain_han(next_character(text, next))) break;
  }
  return at;
}

std::size_t plain_han_end(std::string_view text, std::size_t at) {
  for (std::size_t next = at; at < text.size() && !is_ascii_byte(text[at]); at = next) {
    if (!is_plain_han(next_character(text, next))) break;
  }
  return at;
}

}  // namespace

char32_t unicode_detail::next_beyond_ascii(std::string_view text, std::size_t& at) {
  utf8proc_int32_t character = 0;
  const auto rest = static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     rest, &character);
  at += size > 0 ? static_cast<std::size_t>(size) : 1;
  return size > 0 ? static_cast<char32_t>(character) : kReplacementCharacter;
}

CharacterClass unicode_detail::class_beyond_ascii(char32_t character) {
  if (is_plain_han(character)) return CharacterClass::letter;
  return character == 0x85 ? CharacterClass::space : class_by_table(character);
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
  std::size_t at = 0, continuations = 0;
  for (; at + 8 <= text.size(); at += 8) {
    const uint64_t word = eight_bytes(text.data() + at);
    const uint64_t marks = (word & ~(word << 1) & kTops) >> 7;  // 10xxxxxx
    continuations += static_cast<std::size_t>((marks * kOnes) >> 56);
  }
  for (; at < text.size(); ++at)
    continuations += (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  return text.size() - continuations;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto character = static_cast<utf8proc_int32_t>(next_character(text, at));
    width += static_cast<std::size_t>(utf8proc_charwidth(character));
  }
  return width;
}

std::string normal_form(std::string_view text) {
  FormWriter form(text.size());
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = ascii_end(text, at);
    // An ASCII character may compose with what follows, so the last one is folded with that.
    if (end > at && end < text.size()) --end;
    form.add_ascii(text.substr(at, end - at));
    at = end;
    end = others_end(text, at + (at < text.size() && is_ascii_byte(text[at])));
    if (end > at) form.add(folded(text.substr(at, end - at)));
    at = end;
    end = plain_han_end(text, at);
    form.add_letters(text.substr(at, end - at));
    at = end;
  }
  return form.finish();
}

std::string_view next_word(std::string_view text, std::size_t& at) {
  while (at < text.size()) {
    const std::size_t begin = at;
    const char32_t first = next_character(text, at);
    const CharacterClass kind = class_of(first);
    if (!is_part(kind)) continue;
    if (is_word_alone(first)) return text.substr(begin, at - begin);
    bool after_letter = kind == CharacterClass::letter;
    while (at < text.size()) {
      std::size_t after = at;
      const char32_t character = next_character(text, after);
      const CharacterClass c = class_of(character);
      const bool belongs = is_part(c) ? !is_word_alone(character)
                                      : after_letter && joins_letters(text, character, after);
      if (!belongs) break;
      after_letter = c == CharacterClass::letter;
      at = after;
    }
    return text.substr(begin, at - begin);
  }
  return {};
}

}  // namespace cupel

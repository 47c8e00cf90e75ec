#include "curate/sentences.h"

#include <array>

#include "data/unicode.h"

namespace cupel::curate {

bool ends_sentence(char32_t c) {
  return c == U'.' || c == U'!' || c == U'?' || c == U'。' || c == U'！' || c == U'？' ||
         c == U'．' || c == U'…' || c == U'؟' || c == U'۔' || c == U'।';
}

bool closes_quotation(char32_t c) {
  return c == U'"' || c == U'\'' || c == U'”' || c == U'’' || c == U'」' || c == U'』' || c == U'»';
}

namespace {

/// Bytes at which a sentence may end, or a character that must be looked at begins.
constexpr std::array<bool, 256> kTelling = [] {
  std::array<bool, 256> telling{};
  for (const char c : {'.', '!', '?', '\n'}) telling[static_cast<unsigned char>(c)] = true;
  for (unsigned byte = 0x80; byte < 256; ++byte) telling[byte] = true;
  return telling;
}();

/// Where the first of them stands from `at` on.
std::size_t next_telling(std::string_view text, std::size_t at) {
  while (at < text.size() && !kTelling[static_cast<unsigned char>(text[at])]) ++at;
  return at;
}

}  // namespace

std::vector<std::size_t> sentence_edges(std::string_view text, std::size_t most) {
  std::vector<std::size_t> edges{0};
  bool ended = false, apart = false, new_line = false;  // since the last character of a sentence
  bool after_wide = false;  // ended by a mark that stands without a space
  for (std::size_t at = 0; at < text.size() && edges.size() <= most;) {
    if (!ended && !new_line) {
      at = next_telling(text, at);
      if (at == text.size()) break;
    }
    const std::size_t begin = at;
    const char32_t c = next_character(text, at);
    const CharacterClass kind = class_of(c);
    if (kind == CharacterClass::space) {
      apart = true;
      new_line |= c == U'\n';
      continue;
    }
    const bool lower_case = c >= U'a' && c <= U'z';
    const bool is_word = kind == CharacterClass::letter || kind == CharacterClass::digit;
    const bool begins =
        new_line ||
        (ended && (is_word_alone(c) || (after_wide && is_word) || (apart && !lower_case)));
    if (begins && begin > 0) edges.push_back(begin);
    const bool closes = ended && !apart && closes_quotation(c);
    after_wide = c == U'。' || c == U'！' || c == U'？' || (closes && after_wide);
    ended = ends_sentence(c) || closes;
    apart = new_line = false;
  }
  if (text.size() > edges.back() && edges.size() <= most) edges.push_back(text.size());
  return edges;
}

}  // namespace cupel::curate

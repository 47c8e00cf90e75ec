#include "curate/mojibake.h"

#include <algorithm>
#include <array>
#include <string>

#include "data/unicode.h"

namespace cupel::curate {
namespace {

/// Windows-1252, bytes 0x80..0x9F; 0 where it has no character and Latin-1's control stands.
constexpr std::array<char32_t, 32> kWindows1252{
    U'€', 0,    U'‚', U'ƒ', U'„', U'…', U'†', U'‡', U'ˆ', U'‰', U'Š', U'‹', U'Œ', 0, U'Ž', 0,
    0,    U'‘', U'’', U'“', U'”', U'•', U'–', U'—', U'˜', U'™', U'š', U'›', U'œ', 0, U'ž', U'Ÿ'};

/// UTF-8 of 。，、：？！的是我在这 and “ read as GBK begins with one of these.
constexpr std::u32string_view kUtf8AsGbk = U"銆锛鐨鏄鎴鍦杩鈥锘";

/// The byte that the character was, or 0 if none of 0x80..0xFF.
unsigned byte_of(char32_t c) {
  if (c >= 0x80 && c <= 0xFF) return static_cast<unsigned>(c);
  if (c < 0x0152 || c > 0x2122) return 0;
  const auto* const found = std::find(kWindows1252.begin(), kWindows1252.end(), c);
  return found == kWindows1252.end() ? 0
                                     : 0x80 + static_cast<unsigned>(found - kWindows1252.begin());
}

bool is_continuation(unsigned byte) { return byte >= 0x80 && byte <= 0xBF; }

/// Bytes of the character that `lead` begins, if it is one of those that are taken; else 0. C2, C3:
/// Latin; CE..D1: Greek, Cyrillic; E2: punctuation; E3..E9: kana, Han; EF: U+FFFD, U+FEFF, full
/// width; F0: emoji.
std::size_t taken_size(unsigned lead) {
  if (lead == 0xC2 || lead == 0xC3 || (lead >= 0xCE && lead <= 0xD1)) return 2;
  if ((lead >= 0xE2 && lead <= 0xE9) || lead == 0xEF) return 3;
  return lead == 0xF0 ? 4 : 0;
}

/// Characters at `at` of `run` that are one character of UTF-8 read as Windows-1252, or 0.
std::size_t misread_utf8(std::u32string_view run, std::size_t at) {
  const std::size_t size = taken_size(byte_of(run[at]));
  if (size == 0 || run.size() - at < size) return 0;
  const auto rest = run.substr(at + 1, size - 1);
  return std::all_of(rest.begin(), rest.end(),
                     [](char32_t c) { return is_continuation(byte_of(c)); })
             ? size
             : 0;
}

/// The bytes that GBK uses.
bool is_high_latin(char32_t c) { return c >= 0xA1 && c <= 0xFE; }

struct Stretch {
  std::size_t size = 0;
  bool misread = false;
};

/// The characters of U+00A1..U+00FE at `at`, and whether they are no word. Looked at once: of equal
/// ones none begins anything.
Stretch high_latin_stretch(std::u32string_view run, std::size_t at) {
  std::size_t end = at, letters = 0;
  bool differs = false;
  for (; end < run.size() && is_high_latin(run[end]); ++end) {
    differs |= run[end] != run[at];
    letters += run[end] >= 0xC0;
  }
  const std::size_t size = end - at;
  if (!differs) return {size - 1, false};
  return size >= 4 && 2 * letters >= size ? Stretch{size, true} : Stretch{};
}

/// Length of what UTF-8 read as GBK left at `at`, or 0.
std::size_t misread_as_gbk(std::u32string_view run, std::size_t at) {
  const std::u32string_view rest = run.substr(at);
  if (rest.starts_with(U"锟斤拷") || rest.starts_with(U"烫烫烫") || rest.starts_with(U"屯屯屯"))
    return 3;
  return kUtf8AsGbk.find(run[at]) != std::u32string_view::npos ? 1 : 0;
}

/// In characters beyond ASCII that stand side by side.
int64_t count_in_run(std::u32string_view run) {
  int64_t count = 0;
  for (std::size_t at = 0; at < run.size();) {
    Stretch found{misread_utf8(run, at), true};
    if (found.size == 0 && run.substr(at).starts_with(U"‚Ä")) found.size = 2;
    if (found.size == 0 && is_high_latin(run[at])) found = high_latin_stretch(run, at);
    if (found.size == 0 && run[at] >= 0x4E00) found = {misread_as_gbk(run, at), true};
    if (found.misread) count += static_cast<int64_t>(found.size);
    at += std::max<std::size_t>(found.size, 1);
  }
  return count;
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

}  // namespace

int64_t count_mojibake(std::string_view text) {
  int64_t count = 0;
  std::u32string run;
  for (std::size_t at = 0; at < text.size();) {
    if (is_ascii(text[at])) {
      ++at;
      continue;
    }
    run.clear();
    while (at < text.size() && !is_ascii(text[at])) run += next_character(text, at);
    count += count_in_run(run);
  }
  return count;
}

}  // namespace cupel::curate

#include "data/tokenizer/scan.h"

#include <cstdint>

#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

constexpr std::string_view kGpt2 =
    "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
constexpr uint8_t kWord = kLetter | kNumber | kSpace;  // what [^\s\p{L}\p{N}] leaves out

/// Classes of the character at `at`, and where it ends.
uint8_t peek(std::string_view text, std::size_t at, std::size_t& next) {
  next = at;
  return classes_of(take_character(text, next));
}

/// The end of the run of characters that have one of `wanted`, at most `most` of them.
std::size_t run_of(std::string_view text, std::size_t at, uint8_t wanted,
                   std::size_t most = SIZE_MAX) {
  for (std::size_t next = at; most > 0 && at < text.size(); at = next, --most) {
    if ((peek(text, at, next) & wanted) == 0) break;
  }
  return at;
}

/// The end of the run of characters that have none of `unwanted`.
std::size_t run_without(std::string_view text, std::size_t at, uint8_t unwanted) {
  for (std::size_t next = at; at < text.size(); at = next) {
    if ((peek(text, at, next) & unwanted) != 0) break;
  }
  return at;
}

/// \s+(?!\S)|\s+ at white space: all of it at the end of the text, else all but its last character,
/// which goes with what follows. With `lines` first \s*[\r\n]+: up to the last line break.
std::size_t end_of_space(std::string_view text, std::size_t at, bool lines) {
  std::size_t end = at, last = at, after_break = at;
  for (std::size_t next = at; end < text.size(); end = next) {
    const uint8_t classes = peek(text, end, next);
    if ((classes & kSpace) == 0) break;
    last = end;
    if ((classes & kLineBreak) != 0) after_break = next;
  }
  if (lines && after_break > at) return after_break;
  return end == text.size() || last == at ? end : last;
}

/// 's 't 're 've 'm 'll 'd at an apostrophe; 0 if none is there. Without case, U+017F is an s.
std::size_t contraction(std::string_view text, std::size_t at, bool any_case) {
  const auto letter = [&](std::size_t i) {
    const char c = at + i < text.size() ? text[at + i] : '\0';
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  const char first = letter(1), second = letter(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return at + 2;
  if ((first == 'r' || first == 'v') && second == 'e') return at + 3;
  if (first == 'l' && second == 'l') return at + 3;
  if (any_case && text.substr(at + 1).starts_with("\xc5\xbf")) return at + 3;
  return 0;
}

std::optional<Span> scan_gpt2(std::string_view text, std::size_t from) {
  if (from >= text.size()) return std::nullopt;
  if (text[from] == '\'') {
    if (const std::size_t end = contraction(text, from, /*any_case=*/false)) return Span{from, end};
  }
  std::size_t next;
  uint8_t classes = peek(text, from, next);
  std::size_t begin = from;  // of the word after an optional space
  if (text[from] == ' ' && next < text.size()) {
    begin = next;
    classes = peek(text, begin, next);
  }
  if ((classes & kLetter) != 0) return Span{from, run_of(text, next, kLetter)};
  if ((classes & kNumber) != 0) return Span{from, run_of(text, next, kNumber)};
  if ((classes & kSpace) == 0) return Span{from, run_without(text, next, kWord)};
  return Span{from, end_of_space(text, from, /*lines=*/false)};
}

/// Llama 3 with three digits a word, Qwen with one.
template <std::size_t digits>
std::optional<Span> scan_llama3(std::string_view text, std::size_t from) {
  if (from >= text.size()) return std::nullopt;
  if (text[from] == '\'') {
    if (const std::size_t end = contraction(text, from, /*any_case=*/true)) return Span{from, end};
  }
  std::size_t next, after = 0;
  const uint8_t classes = peek(text, from, next);
  if ((classes & kLetter) != 0) return Span{from, run_of(text, next, kLetter)};
  if ((classes & kNumber) != 0) return Span{from, run_of(text, next, kNumber, digits - 1)};
  const uint8_t following = next < text.size() ? peek(text, next, after) : uint8_t{kSpace};
  if ((classes & kLineBreak) == 0 && (following & kLetter) != 0)
    return Span{from, run_of(text, after, kLetter)};
  const bool space = text[from] == ' ' && (following & kWord) == 0;
  if (space || (classes & kSpace) == 0)
    return Span{from, run_of(text, run_without(text, next, kWord), kLineBreak)};
  return Span{from, end_of_space(text, from, /*lines=*/true)};
}

std::optional<Span> scan_digits(std::string_view text, std::size_t from) {
  for (std::size_t next = from; from < text.size(); from = next) {
    if ((peek(text, from, next) & kNumber) != 0) return Span{from, run_of(text, next, kNumber, 2)};
  }
  return std::nullopt;
}

/// Ideographs and kana of DeepSeek's second pattern.
bool is_cjk(int32_t c) { return (c >= 0x4e00 && c <= 0x9fa5) || (c >= 0x3040 && c <= 0x30ff); }

std::optional<Span> scan_cjk(std::string_view text, std::size_t from) {
  std::size_t begin = text.size();
  for (std::size_t next = from; from < text.size(); from = next) {
    const bool inside = is_cjk(take_character(text, next));
    if (inside && begin == text.size()) begin = from;
    if (!inside && begin < from) return Span{begin, from};
  }
  return begin < text.size() ? std::optional(Span{begin, text.size()}) : std::nullopt;
}

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A match of DeepSeek's third pattern at `at`; 0 if none begins there.
std::size_t deepseek_word(std::string_view text, std::size_t at) {
  constexpr uint8_t kInner = kLetter | kMark, kSign = kPunctuation | kSymbol;
  std::size_t next, after = 0;
  const uint8_t classes = peek(text, at, next);
  const bool more = next < text.size();
  if ((classes & kSign) != 0) {
    std::size_t end = next;
    if (next == at + 1) {  // of ASCII
      while (end < text.size() && is_ascii_letter(text[end])) ++end;
      if (end > next) return end;
    }
    return run_of(text, run_of(text, next, kSign), kLineBreak);
  }
  if ((classes & kInner) != 0) return run_of(text, next, kInner);
  const uint8_t following = more ? peek(text, next, after) : uint8_t{0};
  if ((classes & kLineBreak) == 0 && (following & kInner) != 0) return run_of(text, after, kInner);
  if (text[at] == ' ' && (following & kSign) != 0)
    return run_of(text, run_of(text, after, kSign), kLineBreak);
  return (classes & kSpace) != 0 ? end_of_space(text, at, /*lines=*/true) : 0;
}

std::optional<Span> scan_deepseek(std::string_view text, std::size_t from) {
  for (; from < text.size(); take_character(text, from)) {
    if (const std::size_t end = deepseek_word(text, from)) return Span{from, end};
  }
  return std::nullopt;
}

struct Known {
  std::string_view pattern;
  Scan scan;
};

constexpr Known kKnown[] = {
    {kGpt2, scan_gpt2},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
     "\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     scan_llama3<3>},
    {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
     "\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
     scan_llama3<1>},
    {"\\p{N}{1,3}", scan_digits},
    {"[一-龥぀-ゟ゠-ヿ]+", scan_cjk},
    {"[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}"
     "]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
     scan_deepseek},
};

}  // namespace

const std::string_view kGpt2Pattern = kGpt2;

Scan find_scan(std::string_view pattern) {
  for (const Known& known : kKnown) {
    if (known.pattern == pattern) return known.scan;
  }
  return nullptr;
}

}  // namespace cupel

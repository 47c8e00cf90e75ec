#include "data/tokenizer/scan.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "data/tokenizer/regex.h"

namespace cupel {
namespace {

const std::string kWords = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|";
const std::string kRest = "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const std::string kPatterns[] = {
    std::string(kGpt2Pattern),
    kWords + "\\p{N}{1,3}" + kRest,
    kWords + "\\p{N}" + kRest,
    "\\p{N}{1,3}",
    "[一-龥぀-ゟ゠-ヿ]+",
    "[!\"#$%&'()*+,\\-./"
    ":;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| "
    "?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"};

/// Characters that the patterns tell apart, and any others.
std::string random_text(Rng& rng) {
  static const std::string_view kPieces[] = {
      " ",      "  ", "\n",   "\r\n",   "\t",     "\u00a0",     "\u3000",    "\u2028", "\u0085",
      "a",      "Z",  "é",    "中",     "ア",     "1",          "½",         "٣",      "\u0301",
      "\u0e31", "'",  "'s",   "'LL",    "'Ve",    "'ſ",         "!",         "$",      "。",
      "_",      "😀",  "\x01", "\u200b", "\ue000", "\U00031350", "\U000105c0"};
  std::string text;
  for (uint64_t n = rng.below(24); n > 0; --n) {
    if (rng.below(8) > 0) {
      text += kPieces[rng.below(std::size(kPieces))];
    } else {
      const auto c = static_cast<int32_t>(rng.below(0x110000));
      append_character(c >= 0xd800 && c < 0xe000 ? 'x' : c, text);
    }
  }
  return text;
}

TEST(TokenizerScan, GivesTheMatchesOfEachPattern) {
  Rng rng(1, "scan");
  for (const std::string& pattern : kPatterns) {
    ASSERT_NE(find_scan(pattern), nullptr) << pattern;
    const std::string grouped = "(?:" + pattern + ")";  // which no scan is known for
    ASSERT_EQ(find_scan(grouped), nullptr);
    const Regex oracle(grouped, "oracle");
    for (int i = 0; i < 20'000; ++i) {
      const std::string text = random_text(rng);
      for (std::size_t from = 0; from < text.size();) {
        const auto expected = oracle.find(text, from), found = find_scan(pattern)(text, from);
        ASSERT_EQ(found.has_value(), expected.has_value()) << pattern << " on " << text;
        if (!found) break;
        ASSERT_EQ(found->begin, expected->begin) << pattern << " on " << text << " from " << from;
        ASSERT_EQ(found->end, expected->end) << pattern << " on " << text << " from " << from;
        from = found->end;
      }
    }
  }
}

TEST(TokenizerScan, NothingIsFoundBehindTheText) {
  for (const std::string& pattern : kPatterns) EXPECT_FALSE(find_scan(pattern)("ab", 2));
}

}  // namespace
}  // namespace cupel

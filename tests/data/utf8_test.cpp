#include "data/utf8.h"

#include <gtest/gtest.h>

#include "base/rng.h"

namespace cupel {
namespace {

const std::string kReplacement = "\xEF\xBF\xBD";

TEST(Utf8, FindsTheFirstMalformedByteWhereverItStands) {
  EXPECT_FALSE(find_invalid_utf8(""));
  EXPECT_FALSE(find_invalid_utf8("plain, café, 中文, 😀"));
  EXPECT_FALSE(find_invalid_utf8(std::string_view("\0", 1)));
  for (std::size_t at = 0; at < 40; ++at) {  // words of eight bytes are skipped at once
    std::string text(40, 'a');
    text[at] = '\xff';
    EXPECT_EQ(find_invalid_utf8(text), at);
    text[at] = '\x80';
    EXPECT_EQ(find_invalid_utf8(text), at);
  }
  EXPECT_EQ(find_invalid_utf8("é\xe4\xb8"), 2u) << "cut inside a character";
}

TEST(Utf8, OverlongFormsSurrogatesAndWhatIsBeyondUnicodeAreMalformed) {
  for (const char* text :
       {"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80", "\xed\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_EQ(find_invalid_utf8(text), 0u) << text;
  }
  for (const char* text : {"\xc2\x80", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_FALSE(find_invalid_utf8(text)) << text;
  }
}

TEST(Utf8, ReplacesEachMaximalPrefixByOneMark) {
  // The example of the Unicode standard, table 3-11.
  EXPECT_EQ(replace_invalid_utf8("a\xF1\x80\x80\xE1\x80\xC2"
                                 "b\x80"
                                 "c\x80\xBF"
                                 "d"),
            "a" + kReplacement + kReplacement + kReplacement + "b" + kReplacement + "c" +
                kReplacement + kReplacement + "d");
  EXPECT_EQ(replace_invalid_utf8("\xed\xa0\x80"), kReplacement + kReplacement + kReplacement);
  EXPECT_EQ(replace_invalid_utf8("\xf0\x9f\x98"), kReplacement);
}

TEST(Utf8, WhatIsReplacedIsValidAndValidTextStays) {
  Rng rng(5, "bytes");
  for (int i = 0; i < 2000; ++i) {
    std::string bytes;
    for (uint64_t left = rng.below(30); left > 0; --left) {
      const char lead[] = {'a', '\x80', '\xbf', '\xc3', '\xe2', '\xed', '\xf0', '\xf4', '\xff'};
      bytes += lead[rng.below(sizeof lead)];
    }
    const std::string replaced = replace_invalid_utf8(bytes);
    EXPECT_FALSE(find_invalid_utf8(replaced));
    EXPECT_EQ(replaced == bytes, !find_invalid_utf8(bytes));
    EXPECT_EQ(replace_invalid_utf8(replaced), replaced);
  }
}

TEST(Utf8, KnowsATailThatMoreTextMayFinish) {
  EXPECT_EQ(unfinished_utf8_tail(""), 0u);
  EXPECT_EQ(unfinished_utf8_tail("abc"), 0u);
  EXPECT_EQ(unfinished_utf8_tail("aé"), 0u);
  EXPECT_EQ(unfinished_utf8_tail("a\xc3"), 1u);
  EXPECT_EQ(unfinished_utf8_tail("a\xe2\x82"), 2u);
  EXPECT_EQ(unfinished_utf8_tail("\xf0\x9f\x98"), 3u);
  // No byte behind these makes a character of them.
  EXPECT_EQ(unfinished_utf8_tail("a\xff"), 0u);
  EXPECT_EQ(unfinished_utf8_tail("a\x80\x80"), 0u);
  EXPECT_EQ(unfinished_utf8_tail("\xed\xa0"), 0u) << "a surrogate";
  EXPECT_EQ(unfinished_utf8_tail("\xf0\x9f\x98\x80"), 0u);
}

TEST(Utf8, APieceWithoutItsTailIsReplacedAsItIsInTheWhole) {
  Rng rng(6, "bytes");
  for (int i = 0; i < 2000; ++i) {
    std::string bytes, streamed, held;
    for (uint64_t left = rng.below(30); left > 0; --left) {
      const char some[] = {'a', '\x80', '\xbf', '\xc3', '\xe2', '\xed', '\xf0', '\xf4', '\xff'};
      bytes += some[rng.below(sizeof some)];
    }
    for (const char byte : bytes) {
      held += byte;
      const std::size_t whole = held.size() - unfinished_utf8_tail(held);
      streamed += replace_invalid_utf8(held.substr(0, whole));
      held.erase(0, whole);
    }
    EXPECT_EQ(streamed + replace_invalid_utf8(held), replace_invalid_utf8(bytes));
  }
}

TEST(Utf8, ClipsToCharactersWithAMarkWithinTheLimit) {
  EXPECT_EQ(clip_text("short", 5), "short");
  EXPECT_EQ(clip_text("longer", 5), "long…");
  EXPECT_EQ(clip_text("ééééé", 5), "ééééé");
  EXPECT_EQ(clip_text("éééééé", 5), "éééé…");
  EXPECT_EQ(clip_text("a\xff"
                      "b",
                      5),
            "a" + kReplacement + "b");
  EXPECT_EQ(clip_text(std::string(1000, 'x')).size(), 199 + std::string("…").size());
  EXPECT_EQ(clip_text("😀😀😀", 2), "😀…");
}

}  // namespace
}  // namespace cupel

#include "data/unicode.h"

#include <gtest/gtest.h>
#include <utf8proc.h>

#include <array>
#include <cstdlib>
#include <vector>

#include "base/rng.h"
#include "data/utf8.h"

namespace cupel {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(text, at)).empty();) words.emplace_back(word);
  return words;
}

using Words = std::vector<std::string>;

/// Text in which everything meets everything: ASCII, accents, marks, Han, kana, Hangul, wide and
/// ignorable characters, spaces of all kinds, malformed bytes.
std::string mixed_text(uint64_t seed) {
  constexpr std::array<std::string_view, 56> kPieces{
      "a",      "B",      "word",   "Word's",   "don't",  "x9",       "42",
      ".",      ",",      "'",      "-",        " ",      "  ",       "\n",
      "\t",     "\r\n",   "\x07",   "\x1C",     "\x7F",   "é",        "É",
      "ß",      "İ",      "Ω",      "漢",       "字",     "的是",     "，",
      "。",     "か",     "ガ",     "ｶﾞ",       "한국",   "ﬁ",        "½",
      "①",      "Ａ",     "ｚ",     "\u3000",   "\u00A0", "\u0301",   "\u0308",
      "\u3099", "\u200B", "\u00AD", "\u0085",   "\u2028", "\u2019",   "𠀀",
      "😀",      "\uFFFD", "\xFF",   "\xE4\xB8", "\xC3",   "\xF0\x9F", "an ordinary run of text "};
  Rng rng(seed, "text");
  std::string text;
  for (uint64_t i = rng.below(40); i > 0; --i) {
    // Runs of one kind, so that the fast ways begin and end at every offset.
    const std::string_view piece = kPieces[rng.below(kPieces.size())];
    for (uint64_t times = rng.below(2) == 0 ? 1 : rng.below(12); times > 0; --times) text += piece;
  }
  return text;
}

/// What normal_form() says it is, in one call for the whole text.
std::string plain_normal_form(std::string_view text) {
  const std::string valid = replace_invalid_utf8(text);
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(valid.data()),
      static_cast<utf8proc_ssize_t>(valid.size()), &mapped,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                                     UTF8PROC_CASEFOLD | UTF8PROC_IGNORE));
  const std::string folded(reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(size));
  std::free(mapped);
  std::string form;
  bool apart = false;
  for (std::size_t at = 0; at < folded.size();) {
    const std::size_t begin = at;
    const bool space = class_of(next_character(folded, at)) == CharacterClass::space;
    if (!space && apart && !form.empty()) form += ' ';
    if (!space) form += folded.substr(begin, at - begin);
    apart = space;
  }
  return form;
}

TEST(NormalForm, OfAnyMixtureIsThatOfTheWholeText) {
  for (uint64_t seed = 0; seed < 20000; ++seed) {
    const std::string text = mixed_text(seed);
    ASSERT_EQ(normal_form(text), plain_normal_form(text)) << testing::PrintToString(text);
  }
}

TEST(NormalForm, FoldsCaseWidthLigaturesAndSpacing) {
  EXPECT_EQ(normal_form("  The\tQUICK \n\n fox "), "the quick fox");
  EXPECT_EQ(normal_form("ＡＢＣ１２３"), "abc123");
  EXPECT_EQ(normal_form("eﬃcient"), "efficient");
  EXPECT_EQ(normal_form("STRASSE"), normal_form("straße"));
  EXPECT_EQ(normal_form("a\xC2\xA0 \xE3\x80\x80"
                        "b"),
            "a b");
}

TEST(NormalForm, ComposesAMarkWithTheAsciiLetterBeforeIt) {
  EXPECT_EQ(normal_form("Cafe\xCC\x81 X"), "café x");
  EXPECT_EQ(normal_form("CAF\xC3\x89 x"), "café x");
}

TEST(NormalForm, DropsSoftHyphensAndZeroWidthCharacters) {
  EXPECT_EQ(normal_form("hy\xC2\xADphen zero\xE2\x80\x8Bwidth"), "hyphen zerowidth");
}

TEST(NormalForm, IsIdempotent) {
  for (const char* text :
       {"İstanbul ß ﬁ ½", "漢字　カナ ｶﾞ", "a\xCC\x81\xCC\x88 \xE2\x80\x8B b", " x\xFF y "}) {
    const std::string once = normal_form(text);
    EXPECT_EQ(normal_form(once), once) << text;
  }
}

TEST(NormalForm, ReplacesMalformedBytes) { EXPECT_EQ(normal_form("A\xFF"), "a\xEF\xBF\xBD"); }

TEST(CharacterClass, TellsLettersDigitsSpacesAndControlsApart) {
  EXPECT_EQ(class_of(U'a'), CharacterClass::letter);
  EXPECT_EQ(class_of(U'漢'), CharacterClass::letter);
  EXPECT_EQ(class_of(0x0301), CharacterClass::mark);
  EXPECT_EQ(class_of(U'①'), CharacterClass::digit);
  EXPECT_EQ(class_of(U'。'), CharacterClass::punctuation);
  EXPECT_EQ(class_of(U'€'), CharacterClass::symbol);
  EXPECT_EQ(class_of(0x3000), CharacterClass::space);
  EXPECT_EQ(class_of(U'\n'), CharacterClass::space);
  EXPECT_EQ(class_of(0x07), CharacterClass::control);
  EXPECT_EQ(class_of(0xE000), CharacterClass::control);
}

TEST(CharacterClass, OfAsciiAndHanIsThatOfTheTable) {
  const auto is_in = [](utf8proc_category_t c, utf8proc_category_t first,
                        utf8proc_category_t last) { return c >= first && c <= last; };
  const auto by_table = [&](char32_t character) {
    const utf8proc_category_t c = utf8proc_category(static_cast<utf8proc_int32_t>(character));
    if (is_in(c, UTF8PROC_CATEGORY_LU, UTF8PROC_CATEGORY_LO)) return CharacterClass::letter;
    if (is_in(c, UTF8PROC_CATEGORY_ND, UTF8PROC_CATEGORY_NO)) return CharacterClass::digit;
    if (is_in(c, UTF8PROC_CATEGORY_PC, UTF8PROC_CATEGORY_PO)) return CharacterClass::punctuation;
    if (is_in(c, UTF8PROC_CATEGORY_SM, UTF8PROC_CATEGORY_SO)) return CharacterClass::symbol;
    return c == UTF8PROC_CATEGORY_ZS ? CharacterClass::space : CharacterClass::control;
  };
  for (char32_t c = 0; c < 0x80; ++c) {
    const bool white = c >= 0x09 && c <= 0x0D;
    EXPECT_EQ(class_of(c), white ? CharacterClass::space : by_table(c)) << static_cast<int>(c);
  }
  for (char32_t c = 0x4E00; c <= 0x9FEF; ++c) ASSERT_EQ(class_of(c), by_table(c));
}

TEST(Words, AreRunsOfLettersAndDigitsWithApostrophesInside) {
  EXPECT_EQ(words_of("don't stop, it's 2nd-best: 'quoted' rock'n'roll"),
            (Words{"don't", "stop", "it's", "2nd", "best", "quoted", "rock'n'roll"}));
}

TEST(Words, AreSingleCharactersWhereAScriptHasNoSpaces) {
  EXPECT_EQ(words_of("用BERT模型。한국어 text"),
            (Words{"用", "BERT", "模", "型", "한국어", "text"}));
}

TEST(Words, EndWithTheText) {
  EXPECT_TRUE(words_of("").empty());
  EXPECT_TRUE(words_of(" .,! ").empty());
  EXPECT_EQ(words_of("a'"), Words{"a"});
}

TEST(DisplayWidth, IsTwoOfWideCharactersAndNoneOfMarks) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("漢字、한ｶ"), 9u);
  EXPECT_EQ(display_width("e\u0301é"), 2u);
}

TEST(Characters, AreCountedInTextsOfAnySize) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += i % 3 == 0 ? "漢" : i % 3 == 1 ? "é" : "a";
    EXPECT_EQ(count_characters(text), size);
  }
}

TEST(Characters, AreCountedByTheirLeads) {
  EXPECT_EQ(count_characters("a漢é"), 3u);
  EXPECT_EQ(count_characters(""), 0u);
}

TEST(Characters, AMalformedByteIsAReplacement) {
  std::size_t at = 0;
  EXPECT_EQ(next_character("\xE6\xBC", at), char32_t{0xFFFD});
  EXPECT_EQ(at, 1u);
}

}  // namespace
}  // namespace cupel

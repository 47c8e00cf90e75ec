#include "data/unicode.h"

#include <gtest/gtest.h>

#include <vector>

namespace cupel {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(text, at)).empty();) words.emplace_back(word);
  return words;
}

using Words = std::vector<std::string>;

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

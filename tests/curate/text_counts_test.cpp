#include "curate/text_counts.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "curate/hash_counts.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

TEST(TextCounts, CountCharactersByClass) {
  const TextCounts c = count_text("Ab1 é漢。$#\x01\xEF\xBF\xBD{}\xEE\x80\x80");
  EXPECT_EQ(c.characters, 14);
  EXPECT_EQ(c.letters, 4);
  EXPECT_EQ(c.digits, 1);
  EXPECT_EQ(c.punctuation, 4);  // 。 # { }
  EXPECT_EQ(c.symbols, 2);      // $ U+FFFD
  EXPECT_EQ(c.spaces, 1);
  EXPECT_EQ(c.controls, 2);  // U+0001 and U+E000
  EXPECT_EQ(c.replacements, 1);
  EXPECT_EQ(c.hashes, 1);
  EXPECT_EQ(c.curly_brackets, 2);
  EXPECT_EQ(c.visible(), 13);
  EXPECT_EQ(c.width, 15);  // 漢 twice
}

TEST(TextCounts, JoinersAreNoControls) {
  EXPECT_EQ(count_text("\xE2\x80\x8D \xE2\x80\x8B \xEF\xBB\xBF \n\t").controls, 0);
  EXPECT_EQ(count_text("\x7F \xC2\x84").controls, 2);
}

TEST(TextCounts, AMalformedByteIsAReplacement) {
  EXPECT_EQ(count_text("a\xFFz\xE6\xBC").replacements, 3);
}

TEST(TextCounts, RepeatedCharactersFollowTheirLike) {
  EXPECT_EQ(count_text("aaaa").repeated, 3);
  EXPECT_EQ(count_text("啊啊啊").repeated, 2);
  EXPECT_EQ(count_text("啊a啊").repeated, 0);
  EXPECT_EQ(count_text("a    b\n\n\n　　").repeated, 0) << "white space is not text";
}

TEST(TextCounts, EllipsesAreRunsOfDotsOrOneCharacter) {
  EXPECT_EQ(count_text("a... b…… c...... d..").ellipses, 4);
}

TEST(TextCounts, WordsOfAScriptWithoutSpacesAreHalfWords) {
  const TextCounts chinese = count_text("机器学习");
  EXPECT_EQ(chinese.words.size(), 4u);
  EXPECT_EQ(chinese.word_count(), 2.0);
  EXPECT_TRUE(chinese.is_unspaced());
  const TextCounts english = count_text("machine learning");
  EXPECT_EQ(english.word_count(), 2.0);
  EXPECT_FALSE(english.is_unspaced());
  EXPECT_EQ(english.word_characters, 15);
}

TEST(TextCounts, StopWordsCountOnceInAnyCase) {
  EXPECT_EQ(count_text("The the THE of theatre b\x05").gopher_stop_words, 0b1001u);
  EXPECT_EQ(count_text("the be to of and that have with").gopher_stop_words, 0xFFu);
}

/// Characters of every kind that the scanner treats in its own way.
std::string random_text(std::mt19937& random) {
  constexpr const char* kPieces[] = {"a",  "Z",    "7",        "'",  "’",  " ",    "\n", "é",
                                     "漢", "ไ",    "ั",         "。", "한", "\x01", "́",   "٣",
                                     "-",  "\xFF", "\xE6\xBC", "😀",  "ｶ",  "ß"};
  std::string text;
  for (int i = 0; i < 40; ++i) text += kPieces[random() % std::size(kPieces)];
  return text;
}

TEST(TextCounts, WordsAreThoseOfNextWord) {
  std::mt19937 random(1);
  for (int trial = 0; trial < 2000; ++trial) {
    const std::string text = random_text(random);
    const TextCounts counts = count_text(text);
    std::size_t at = 0, n = 0;
    for (std::string_view word; !(word = next_word(text, at)).empty(); ++n) {
      ASSERT_LT(n, counts.words.size()) << text;
      EXPECT_EQ(counts.words[n].hash, hash_bytes(word)) << text;
      EXPECT_EQ(counts.words[n].characters, count_characters(word)) << text;
    }
    EXPECT_EQ(n, counts.words.size()) << text;
  }
}

TEST(TextCounts, EveryCharacterIsOfOneClass) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 500; ++trial) {
    const std::string text = random_text(random);
    int64_t characters = 0, controls = 0, spaces = 0;
    for (std::size_t at = 0; at < text.size(); ++characters) {
      const CharacterClass c = class_of(next_character(text, at));
      controls += c == CharacterClass::control;
      spaces += c == CharacterClass::space;
    }
    const TextCounts c = count_text(text);
    EXPECT_EQ(c.characters, characters) << text;
    EXPECT_EQ(c.spaces, spaces) << text;
    EXPECT_EQ(c.letters + c.digits + c.punctuation + c.symbols + c.spaces + controls, characters);
  }
}

TEST(TextWidth, IsThatOfTheCounts) {
  for (const char* text : {"", "a b", "心肝 ab。", "ก\xff"})
    EXPECT_EQ(text_width(text), count_text(text).width) << text;
  EXPECT_EQ(text_width("心a"), 3);
}

}  // namespace
}  // namespace cupel::curate

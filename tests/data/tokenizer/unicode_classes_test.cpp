#include "data/tokenizer/unicode_classes.h"

#include <gtest/gtest.h>

#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

TEST(UnicodeClasses, AreThoseOfTheReferencesPatternsForEveryCharacter) {
  const std::pair<const char*, int> classes[] = {{"\\p{L}", kLetter}, {"\\p{M}", kMark},
                                                 {"\\p{N}", kNumber}, {"\\p{P}", kPunctuation},
                                                 {"\\p{S}", kSymbol}, {"\\s", kSpace}};
  for (const auto& [name, bit] : classes) {
    for_each_character(name, [&, bit = bit, name = name](int32_t c, bool inside) {
      ASSERT_EQ((classes_of(c) & bit) != 0, inside) << name << " U+" << std::hex << c;
    });
  }
}

TEST(UnicodeClasses, WordsAndDigitsAreThoseOfTheReferenceForEveryCharacter) {
  for_each_character("not_word", [](int32_t c, bool inside) {
    ASSERT_EQ(is_word_character(c), !inside) << "U+" << std::hex << c;
  });
  for_each_character("numeric", [](int32_t c, bool inside) {
    ASSERT_EQ(is_numeric(c), inside) << "U+" << std::hex << c;
  });
}

TEST(UnicodeClasses, LowerCaseIsThatOfTheReferenceForEveryCharacter) {
  std::string all;
  for (int32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    append_lower_case(c, all);
    all += '\n';
  }
  EXPECT_EQ(
      sha256(all),
      read_json(tokenizer_parts() / "characters.json").at("sha256_Lowercase", "").as_string(""));
}

TEST(UnicodeClasses, LineBreaksAreSpacesWithAClassOfTheirOwn) {
  EXPECT_EQ(classes_of('\n'), kSpace | kLineBreak);
  EXPECT_EQ(classes_of('\r'), kSpace | kLineBreak);
  EXPECT_EQ(classes_of('\v'), kSpace);
  EXPECT_EQ(classes_of(0x10ffff), 0);
}

TEST(UnicodeClasses, LaterCharactersAreRangesOfTheirCategory) {
  EXPECT_NE(later_characters("L").find("\\x{31350}-\\x{323af}"), std::string::npos);
  EXPECT_NE(later_characters("Lo").find("\\x{31350}-\\x{323af}"), std::string::npos);
  EXPECT_EQ(later_characters("Lu").find("323af"), std::string::npos);
  EXPECT_EQ(later_characters("Xx"), "");
}

TEST(UnicodeClasses, CharactersAreTakenAndAppendedInAllLengths) {
  for (const int32_t c : {0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff}) {
    std::string text = "a";
    append_character(c, text);
    std::size_t at = 1;
    EXPECT_EQ(take_character(text, at), c);
    EXPECT_EQ(at, text.size());
  }
}

}  // namespace
}  // namespace cupel

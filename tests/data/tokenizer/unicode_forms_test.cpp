#include "data/tokenizer/unicode_forms.h"

#include <gtest/gtest.h>

#include "data/tokenizer/unicode_classes.h"
#include "support/reference_loops.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

constexpr const char* kNames[] = {"NFC", "NFD", "NFKC", "NFKD"};

TEST(UnicodeForms, AreThoseOfTheReferenceForEveryCharacterAloneAndBetweenMarks) {
  const json::Value expected = read_json(tokenizer_parts() / "characters.json");
  for (const std::string_view name : kNames) {
    if (kSanitized && name != "NFKC") continue;  // the form that reads every table
    std::string alone, between;
    for (int32_t c = 0; c < 0x110000; ++c) {
      if (c >= 0xd800 && c < 0xe000) continue;
      std::string text;
      append_character(c, text);
      alone += normal_form(text, *unicode_form(name)) + '\n';
      between += normal_form("a\u0315" + text + "\u0334", *unicode_form(name)) + '\n';
    }
    EXPECT_EQ(sha256(alone) + sha256(between),
              expected.at("sha256_" + std::string(name), "").as_string(""))
        << name;
  }
}

TEST(UnicodeForms, ATextThatIsSaidToBeNormalIsKept) {
  for (int32_t c = 0; c < 0x110000; c += kSanitized ? 7 : 1) {
    if (c >= 0xd800 && c < 0xe000) continue;
    std::string text;
    append_character(c, text);
    if (is_normal(text, UnicodeForm::nfc)) {
      ASSERT_EQ(normal_form(text, UnicodeForm::nfc), text) << std::hex << c;
      ASSERT_EQ(normal_form("a\u0301" + text + "e", UnicodeForm::nfc), "\u00e1" + text + "e");
    }
  }
  EXPECT_TRUE(is_normal("caf\u00e9 \uac00\u4e2d", UnicodeForm::nfc));
  EXPECT_FALSE(is_normal("e\u0301", UnicodeForm::nfc));
  EXPECT_FALSE(is_normal("\u1112\u1161", UnicodeForm::nfc));
  EXPECT_FALSE(is_normal("\u00e9", UnicodeForm::nfd));
}

TEST(UnicodeForms, OnlyWhatIsNotNormalIsMadeAnew) {
  EXPECT_EQ(
      normal_form("q\u0323\u0307y e\u0301\u0323! \u1112\u1161\u11ab\uac00\u11a8", UnicodeForm::nfc),
      "q\u0323\u0307y \u1eb9\u0301! \ud55c\uac01");
  EXPECT_EQ(normal_form("\U00011935\U00011930", UnicodeForm::nfc), "\U00011935\U00011930")
      << "composed since Unicode 13, not in the reference's tables";
}

TEST(UnicodeForms, MarksAreThoseOfTheReferenceForEveryCharacter) {
  std::string all;
  for (int32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xd800 && c < 0xe000) continue;
    if (!is_combining_mark(c)) append_character(c, all);
    all += '\n';
  }
  EXPECT_EQ(
      sha256(all),
      read_json(tokenizer_parts() / "characters.json").at("sha256_StripAccents", "").as_string(""));
}

TEST(UnicodeForms, NamesAreThoseOfTheFile) {
  EXPECT_EQ(unicode_form("NFKD"), UnicodeForm::nfkd);
  EXPECT_EQ(unicode_form("nfc"), std::nullopt);
  EXPECT_TRUE(is_ascii("a\x7f"));
  EXPECT_FALSE(is_ascii("a\u0080"));
}

}  // namespace
}  // namespace cupel

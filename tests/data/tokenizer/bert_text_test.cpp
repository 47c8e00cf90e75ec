#include "data/tokenizer/bert_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <utf8proc.h>

#include "base/atomic_file.h"
#include "support/errors.h"

namespace cupel {
namespace {

using testing::ElementsAre;

std::string text_of(int32_t character) {
  utf8proc_uint8_t bytes[4];
  const auto size = utf8proc_encode_char(character, bytes);
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

std::string normalized(const BertNormalizer& normalizer, std::string_view text) {
  std::string out;
  normalizer.apply(text, out);
  return out;
}

std::vector<std::string> bert_words(std::string_view text) {
  std::vector<std::string> found;
  for_each_bert_word(text, [&](std::string_view word) {
    found.emplace_back(word);
    return true;
  });
  return found;
}

/// Which characters `holds` for, compared with the reference implementation's.
template <class Holds>
void expect_as_reference(const std::string& kind, Holds holds) {
  const std::string file =
      std::string(CUPEL_SOURCE_DIR) + "/tests/fixtures/wordpiece/characters.json";
  const json::Value root = json::parse(read_file(file), file);
  std::vector<bool> expected(0x110000);
  int64_t count = 0;
  for (const json::Value& range : root.at(kind, file).as_array(file)) {
    const json::Array& ends = range.as_array(file);
    for (int64_t c = ends[0].as_int(file); c <= ends[1].as_int(file); ++c, ++count)
      expected[static_cast<std::size_t>(c)] = true;
  }
  EXPECT_GT(count, 5);
  // All of the planes that hold scripts, and of the block of tags; elsewhere some.
  const auto step = [](int32_t c) { return c < 0x20000 || (c >= 0xe0000 && c < 0xe0200) ? 1 : 64; };
  for (int32_t c = 0; c < 0x110000; c += step(c)) {
    const bool surrogate = c >= 0xd800 && c < 0xe000;
    // Capitals that utf8proc does not know yet.
    const bool unknown = kind == "upper" && utf8proc_category(c) == UTF8PROC_CATEGORY_CN;
    if (surrogate || unknown) continue;
    ASSERT_EQ(holds("a" + text_of(c) + "b", c), expected[static_cast<std::size_t>(c)])
        << kind << " " << std::hex << c;
  }
}

constexpr BertNormalizer::Options kOff = {false, false, false, false};

TEST(BertText, CleansEveryCharacterAsTheReferenceDoes) {
  auto options = kOff;
  options.clean_text = true;
  const BertNormalizer normalizer(options);
  expect_as_reference("removed", [&](const std::string& text, int32_t) {
    return normalized(normalizer, text) == "ab";
  });
  expect_as_reference("blank", [&](const std::string& text, int32_t) {
    return normalized(normalizer, text) == "a b";
  });
}

TEST(BertText, SetsTheSameIdeographsApart) {
  auto options = kOff;
  options.handle_chinese_chars = true;
  const BertNormalizer normalizer(options);
  expect_as_reference("ideograph", [&](const std::string& text, int32_t c) {
    return normalized(normalizer, text) == "a " + text_of(c) + " b";
  });
}

TEST(BertText, StripsTheSameMarks) {
  auto options = kOff;
  options.strip_accents = true;
  const BertNormalizer normalizer(options);
  expect_as_reference("mark", [&](const std::string& text, int32_t) {
    return normalized(normalizer, text) == "ab";
  });
}

TEST(BertText, LowersTheSameLetters) {
  auto options = kOff;
  options.lowercase = true;
  const BertNormalizer normalizer(options);
  expect_as_reference("upper", [&](const std::string& text, int32_t) {
    return normalized(normalizer, text) != text;
  });
  EXPECT_EQ(normalized(normalizer, "İ"), "i\u0307");
}

TEST(BertText, CutsAtTheSamePunctuationAndWhiteSpace) {
  expect_as_reference("punctuation", [&](const std::string& text, int32_t c) {
    return bert_words(text) == std::vector<std::string>{"a", text_of(c), "b"};
  });
  expect_as_reference("white_space", [&](const std::string& text, int32_t) {
    return bert_words(text) == std::vector<std::string>{"a", "b"};
  });
}

TEST(BertText, LeavesTextAloneWhereEveryOptionIsOff) {
  EXPECT_EQ(normalized(BertNormalizer(kOff), "Ab\t\x01 É王"), "Ab\t\x01 É王");
}

TEST(BertText, TreatsAsciiAloneAsItTreatsItBesideOtherText) {
  const BertNormalizer normalizer({});
  const std::string text = "A\tb\x7f\x01 Cd\r\n[x]";
  EXPECT_EQ(normalized(normalizer, text + "é"), normalized(normalizer, text) + "e");
  EXPECT_EQ(normalized(normalizer, text), "a b cd  [x]");
}

TEST(BertText, WordsEndWhenTheCallerHasEnough) {
  int count = 0;
  for_each_bert_word("a,b c d", [&](std::string_view) { return ++count < 3; });
  EXPECT_EQ(count, 3);
  EXPECT_THAT(bert_words("don't  stop!"), ElementsAre("don", "'", "t", "stop", "!"));
  EXPECT_THAT(bert_words(" \n"), ElementsAre());
}

TEST(BertText, AccentsGoWithUpperCaseUnlessTheFileSaysOtherwise) {
  const auto parse = [](const std::string& text) {
    return BertNormalizer::parse(json::parse(text, "t"), "t.json: normalizer");
  };
  EXPECT_EQ(normalized(parse(R"({"type": "BertNormalizer"})"), "É"), "e");
  EXPECT_EQ(normalized(parse(R"({"type": "BertNormalizer", "lowercase": false})"), "É"), "É");
  EXPECT_EQ(normalized(parse(R"({"type": "BertNormalizer", "strip_accents": false})"), "É"), "é");
  EXPECT_THAT([&] { parse(R"({"type": "NFC"})"); },
              throws_exactly(ErrorKind::data,
                             "t.json: normalizer: \"NFC\" is no normalizer of WordPiece; known: "
                             "BertNormalizer"));
  EXPECT_THAT([&] { parse("null"); },
              throws_error(ErrorKind::data, "null is no normalizer of WordPiece"));
}

}  // namespace
}  // namespace cupel

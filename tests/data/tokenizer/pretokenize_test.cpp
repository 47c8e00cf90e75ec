#include "data/tokenizer/pretokenize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/tokenizer_parts.h"

namespace cupel {
namespace {

using testing::ElementsAre;

constexpr const char* kPlain =
    R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})";

PreTokenizer parse_pre_tokenizer(const std::string& text) {
  return PreTokenizer::parse(json::parse(text, ""), "p");
}

/// Words of the steps given, with a ByteLevel behind them that cuts nothing.
std::vector<std::string> words(const std::string& steps, std::string_view text,
                               const std::string& last = kPlain) {
  const std::string all = steps.empty() ? last : steps + ", " + last;
  std::vector<std::string> result;
  parse_pre_tokenizer(R"({"type": "Sequence", "pretokenizers": [)" + all + "]}")
      .for_each_word(text, true, [&](std::string_view word) { result.emplace_back(word); });
  return result;
}

std::string split(const std::string& pattern, const std::string& behavior, bool invert = false) {
  return R"({"type": "Split", "pattern": )" + pattern + R"(, "behavior": ")" + behavior +
         R"(", "invert": )" + (invert ? "true" : "false") + "}";
}

auto refuses_pre_tokenizer(const std::string& text, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(
      std::function<void()>([text] { parse_pre_tokenizer(text); }));
}

TEST(PreTokenize, ByteLevelCutsAsGpt2Does) {
  const char* gpt2 = R"({"type": "ByteLevel", "add_prefix_space": false})";
  EXPECT_THAT(words("", "It's  12 o'clock\n\n now!?", gpt2),
              ElementsAre("It", "'s", " ", " 12", " o", "'", "clock", "\n\n", " now", "!?"));
  EXPECT_THAT(words("", "", gpt2), ElementsAre());
  EXPECT_THAT(words("", " ", gpt2), ElementsAre(" "));
}

TEST(PreTokenize, ByteLevelAloneKeepsTheTextWhole) {
  EXPECT_THAT(words("", "two words"), ElementsAre("two words"));
}

TEST(PreTokenize, APrefixSpaceIsSetBeforeEachPieceThatHasNone) {
  const char* prefix = R"({"type": "ByteLevel", "add_prefix_space": true, "use_regex": false})";
  EXPECT_THAT(words("", "a b", prefix), ElementsAre(" a b"));
  EXPECT_THAT(words("", " a", prefix), ElementsAre(" a"));
  EXPECT_THAT(words(split(R"({"String": ","})", "Removed"), "a,b", prefix),
              ElementsAre(" a", " b"));
  EXPECT_THAT(words("", "a1", R"({"type": "ByteLevel"})"), ElementsAre(" a", "1"))
      << "the default, before the pattern cuts";
}

TEST(PreTokenize, SplitIsolatesOrRemovesItsMatches) {
  EXPECT_THAT(words(split(R"({"Regex": "\\d+"})", "Isolated"), "a12b3"),
              ElementsAre("a", "12", "b", "3"));
  EXPECT_THAT(words(split(R"({"Regex": "\\d+"})", "Removed"), "a12b3"), ElementsAre("a", "b"));
  EXPECT_THAT(words(split(R"({"Regex": "\\d+"})", "Removed", true), "a12b3"),
              ElementsAre("12", "3"));
  EXPECT_THAT(words(split(R"({"String": ".*"})", "Isolated"), "a.*b"), ElementsAre("a", ".*", "b"));
}

TEST(PreTokenize, AnEmptyMatchCutsWithoutBeingAWord) {
  EXPECT_THAT(words(split(R"({"Regex": ""})", "Isolated"), "aé中"), ElementsAre("a", "é", "中"));
  EXPECT_THAT(words(split(R"({"Regex": "x*"})", "Isolated"), "axxb"), ElementsAre("a", "xx", "b"));
  EXPECT_THAT(words(split(R"-({"Regex": "(?=b)"})-", "Isolated"), "abab"),
              ElementsAre("a", "ba", "b"));
}

TEST(PreTokenize, DigitsAreCutTogetherOrEachAlone) {
  EXPECT_THAT(words(R"({"type": "Digits"})", "a12½"), ElementsAre("a", "12½"));
  EXPECT_THAT(words(R"({"type": "Digits", "individual_digits": true})", "a12"),
              ElementsAre("a", "1", "2"));
}

TEST(PreTokenize, EachStepCutsWhatTheOneBeforeItLeft) {
  EXPECT_THAT(
      words(split(R"({"Regex": "\\s"})", "Removed") + ", " + R"({"type": "Digits"})", "ab1 2c 34"),
      ElementsAre("ab", "1", "2", "c", "34"));
}

TEST(PreTokenize, WordsJoinToTheTextWhereNothingIsRemoved) {
  const std::string text = "It's 3½ o'clock — 中文 😀!\r\n\t\u00a0\u2028 end  ";
  std::string joined;
  for (const std::string& word :
       words("", text, R"({"type": "ByteLevel", "add_prefix_space": false})")) {
    joined += word;
  }
  EXPECT_EQ(joined, text);
}

TEST(PreTokenize, EachGivesTheWordsOfTheReference) {
  for_each_component("pre_tokenizer", [](const json::Value& component, const json::Value& text,
                                         const json::Value& gives) {
    json::Array found;
    PreTokenizer::parse(component, "p")
        .for_each_word(text.as_string(""), true,
                       [&](std::string_view word) { found.emplace_back(word); });
    EXPECT_EQ(json::dump(found), json::dump(gives)) << text.as_string("");
  });
}

TEST(PreTokenize, MetaspaceMarksTheFirstWordOfATextOnlyWhereAsked) {
  const PreTokenizer first = parse_pre_tokenizer(
      R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "first", "split": false})");
  std::string word;
  const auto take = [&](std::string_view found) { word = found; };
  first.for_each_word("a b", true, take);
  EXPECT_EQ(word, "_a_b");
  first.for_each_word("a b", false, take);
  EXPECT_EQ(word, "a_b");
}

TEST(PreTokenize, OnlyByteLevelMakesTheVocabularyOneOfBytes) {
  EXPECT_TRUE(parse_pre_tokenizer(kPlain).byte_level());
  EXPECT_FALSE(parse_pre_tokenizer("null").byte_level());
}

TEST(PreTokenize, WhatIsNotKnownIsRefusedByName) {
  EXPECT_TRUE(refuses_pre_tokenizer(R"({"type": "Delimiter"})",
                                    "p: unknown pre-tokenizer \"Delimiter\"; known: BertPre"));
  EXPECT_TRUE(refuses_pre_tokenizer(split(R"({"String": ","})", "Merged"),
                                    "p.behavior: unknown behavior \"Merged\"; known: Contiguous"));
  EXPECT_TRUE(refuses_pre_tokenizer(R"({"type": "Metaspace", "replacement": "__"})",
                                    "p.replacement: \"__\" is not one character"));
  EXPECT_TRUE(refuses_pre_tokenizer(
      R"({"type": "Metaspace", "replacement": "_", "prepend_scheme": "last"})",
      "p.prepend_scheme: unknown scheme \"last\"; known: always"));
  EXPECT_TRUE(
      refuses_pre_tokenizer(split(R"({"Glob": ","})", "Removed"), "missing key \"String\""));
  EXPECT_TRUE(refuses_pre_tokenizer(split(R"({"Regex": "("})", "Removed"),
                                    "p.pattern: pattern does not compile"));
  EXPECT_TRUE(refuses_pre_tokenizer(R"({"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"},
                          {"type": "Digits"}]})",
                                    "\"Digits\" stands after ByteLevel; only a pre-tokenizer"));
  EXPECT_TRUE(refuses_pre_tokenizer("{}", "missing key \"type\""));
}

TEST(PreTokenize, ManyStepsAreRefusedBeforeTheStackEnds) {
  std::string steps;
  for (int i = 0; i < 64; ++i) steps += R"({"type": "Digits"}, )";
  const auto sequence = [](const std::string& list) {
    return R"({"type": "Sequence", "pretokenizers": [)" + list + kPlain + "]}";
  };
  EXPECT_TRUE(refuses_pre_tokenizer(sequence(steps + R"({"type": "Digits"}, )"),
                                    "more than 64 steps; put several"));
  EXPECT_TRUE(refuses_pre_tokenizer(
      R"({"type": "Sequence", "pretokenizers": [)" + steps + R"({"type": "ByteLevel"}]})",
      "more than 64 steps"));
  EXPECT_NO_THROW(parse_pre_tokenizer(sequence(steps)));
}

}  // namespace
}  // namespace cupel

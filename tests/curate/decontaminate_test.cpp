#include "curate/decontaminate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

constexpr const char* kQuestion =
    "A train leaves the station at noon and travels west at sixty miles an hour while another "
    "leaves at one";
constexpr const char* kChineseQuestion = "一列火车中午从车站出发向西行驶，时速六十英里。";

EvaluationText text_of(std::string_view text, const std::vector<std::string>& answers = {}) {
  EvaluationText evaluation{0, 7, words_of(text).hashes, {}};
  for (const std::string& answer : answers) evaluation.answers.push_back(words_of(answer).hashes);
  return evaluation;
}

Decontaminator index_of(std::vector<EvaluationText> texts, const DecontaminateConfig& config = {}) {
  return Decontaminator(config, {std::move(texts), 0});
}

TEST(Decontamination, FindsAnEvaluationTextAndShowsWhere) {
  const auto found =
      index_of({text_of("Other words that stand in no training text at all, not even here."),
                text_of(kQuestion)})
          .find(
              "Homework. a train LEAVES the station, at noon, and travels west at "
              "sixty miles an hour while another leaves at one; when do they meet?");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->line, 7);
  EXPECT_EQ(found->overlap, 1);
  EXPECT_EQ(found->match,
            "a train leaves the station, at noon, and travels west at sixty miles an hour while "
            "another leaves at one");
}

TEST(Decontamination, CountsCharactersOfScriptsWithoutSpaces) {
  const Decontaminator index = index_of({text_of(kChineseQuestion)});
  EXPECT_TRUE(index.find(std::string("题目：") + kChineseQuestion + "求距离。"));
  EXPECT_FALSE(index.find("一列火车中午从车站出发。")) << "eleven of twenty-one";
}

TEST(Decontamination, ReadsOnOverChangedAndAddedWords) {
  const auto found =
      index_of({text_of(kQuestion)})
          .find(
              "one fast train leaves the station at noon and travels west at sixty miles an hour "
              "and then while another leaves at one");
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->overlap, 19.0 / 20) << "without 'a'";
  EXPECT_EQ(found->match.substr(0, 12), "train leaves");
}

TEST(Decontamination, NeedsThatManyWordsInARow) {
  const std::string broken =
      "A train leaves the station at noon and walks west at sixty miles an hour while another "
      "leaves at one";
  EXPECT_FALSE(index_of({text_of(kQuestion)}).find(broken));
  DecontaminateConfig config;
  config.ngram = 10;
  EXPECT_TRUE(index_of({text_of(kQuestion)}, config).find(broken));
}

TEST(Decontamination, NeedsTheShareOfTheEvaluationText) {
  const std::string_view half =
      "a train leaves the station at noon and travels west at sixty miles into the night";
  EXPECT_FALSE(index_of({text_of(kQuestion)}).find(half));
  DecontaminateConfig config;
  config.overlap = 0.6;
  const auto found = index_of({text_of(kQuestion)}, config).find(half);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->overlap, 13.0 / 20);
}

TEST(Decontamination, NeedsTheAnswerNearby) {
  const Decontaminator index = index_of({text_of(kQuestion, {"half past three", "15:30"})});
  const std::string question(kQuestion);
  EXPECT_FALSE(index.find(question + ". They meet at four."));
  EXPECT_TRUE(index.find(question + ". They meet at Half past three."));
  EXPECT_TRUE(index.find("At 15:30 they meet. " + question));
  std::string far;
  for (int i = 0; i < 97; ++i) far += " word";
  EXPECT_TRUE(index.find(question + far + " half past three"));
  EXPECT_FALSE(index.find(question + far + " word half past three"));
}

TEST(Decontamination, OfALongAnswerAnNgramIsEnough) {
  const std::string solution =
      "The second train is one hour behind, so it has to make up sixty miles at the difference of "
      "their speeds, which takes it three hours.";
  const Decontaminator index = index_of({text_of(kQuestion, {solution})});
  EXPECT_TRUE(index.find(std::string(kQuestion) + " " + solution.substr(30)));
  EXPECT_FALSE(index.find(std::string(kQuestion) + " " + solution.substr(0, 40)));
}

TEST(Decontamination, AShortTextIsFoundWhole) {
  const Decontaminator index = index_of({text_of("which metal is a liquid when it is warm")});
  EXPECT_TRUE(index.find("Say which metal is a liquid when it is warm, please."));
  EXPECT_FALSE(index.find("Say which metal is a liquid when it was warm, please."));
  EXPECT_FALSE(index.find("which metal"));
  EXPECT_FALSE(index.find(""));
}

TEST(Decontamination, AFormThatManyTextsShareFindsNone) {
  const std::string form = "Answer the question below with one of the four letters that follow it";
  std::vector<EvaluationText> texts;
  for (int i = 0; i < 80; ++i)
    texts.push_back(text_of(form + ", number " + std::to_string(i) + " it is said"));
  DecontaminateConfig config;
  config.overlap = 0;
  EXPECT_FALSE(index_of(texts, config).find(form + ": which is it?"));
  texts.resize(60);
  EXPECT_TRUE(index_of(texts, config).find(form + ": which is it?"));
}

TEST(Decontamination, OfASecondPassageOnTheSameLineIsNotMissed) {
  const std::string gap(" x y z u v w x y z u v w");
  const std::string head = "red orange yellow green blue indigo violet white";
  const std::string tail =
      "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen";
  DecontaminateConfig config;
  config.overlap = 0.4;
  const auto found = index_of({text_of(head + " a b c d e f g h i j k l " + tail)}, config)
                         .find(head + gap + " " + tail);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->match, tail);
}

}  // namespace
}  // namespace cupel::curate

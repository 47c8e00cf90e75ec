#include "curate/evaluation_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel::curate {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kLong = "one two three four five six seven eight";

DecontaminateConfig evaluation_config(const std::vector<std::filesystem::path>& files) {
  DecontaminateConfig config;
  for (const auto& file : files) config.files.push_back({file.string()});
  return config;
}

EvaluationTexts read(const DecontaminateConfig& config) {
  cupel::Run run(RunOptions{});
  return read_evaluation_texts(config, "text", run);
}

std::vector<uint64_t> words(std::string_view text) { return words_of(text).hashes; }

TEST(WordsOf, AreThoseOfTheNormalFormWithTheirPlaces) {
  const TextWords found = words_of("Gold,  SILVER 和");
  EXPECT_EQ(found.form, "gold, silver 和");
  EXPECT_EQ(found.hashes, words("gold silver! 和"));
  ASSERT_EQ(found.spans.size(), 3u);
  EXPECT_EQ(found.form.substr(found.spans[1].begin, found.spans[1].end - found.spans[1].begin),
            "silver");
}

TEST(EvaluationTexts, EachFieldIsATextWithTheAnswersOfItsRow) {
  const TemporaryFolder folder;
  const std::string row =
      std::string("{\"question\": \"") + kLong + "\", \"text\": \"the " + kLong +
      "\", \"other\": \"" + kLong +
      " x\", \"answers\": {\"text\": [\"Paris\", \"\", 7]}, \"answer\": \"A b\"}";
  const EvaluationTexts found =
      read(evaluation_config({folder.write("a.txt", std::string(kLong) + " nine\n"),
                              folder.write("b.jsonl", "{\"question\": \"Why?\"}\n" + row + "\n")}));
  ASSERT_EQ(found.texts.size(), 3u);
  EXPECT_EQ(found.left_out, 1);
  EXPECT_EQ(found.texts[0].file, 0u);
  EXPECT_TRUE(found.texts[0].answers.empty());
  EXPECT_EQ(found.texts[1].words, words(std::string("the ") + kLong));
  EXPECT_EQ(found.texts[2].words, words(kLong));
  EXPECT_EQ(found.texts[2].file, 1u);
  EXPECT_EQ(found.texts[2].line, 2);
  EXPECT_THAT(found.texts[2].answers, ElementsAre(words("a b"), words("paris"), words("7")));
}

TEST(EvaluationTexts, ThatAreEqualAreOneWithTheAnswersOfAll) {
  const TemporaryFolder folder;
  const auto row = [](const std::string& answer) {
    return std::string("{\"prompt\": \"") + kLong + "\", \"answer\": " + answer + "}\n";
  };
  const auto both =
      read(evaluation_config({folder.write("a.jsonl", row("\"gold\"") + row("\"tin\""))}));
  ASSERT_EQ(both.texts.size(), 1u);
  EXPECT_EQ(both.texts[0].line, 1);
  EXPECT_THAT(both.texts[0].answers, ElementsAre(words("gold"), words("tin")));
  const auto one = read(
      evaluation_config({folder.write("b.jsonl", row("\"gold\"") + row("null") + row("\"tin\""))}));
  EXPECT_THAT(one.texts[0].answers, testing::IsEmpty()) << "one of them needs none";
}

TEST(EvaluationTexts, MayBeShorterWhereTheNgramIs) {
  const TemporaryFolder folder;
  DecontaminateConfig config =
      evaluation_config({folder.write("a.txt", "one two three four five\n")});
  config.ngram = 5;
  EXPECT_EQ(read(config).texts.size(), 1u);
  config.ngram = 6;
  EXPECT_THAT([&] { read(config); },
              throws_error(ErrorKind::data, "a.txt: no text has 6 words to be looked for by"));
}

TEST(EvaluationTexts, OfAFileWithoutTheFieldsAreNamed) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { read(evaluation_config({folder.write("a.jsonl", "{\"body\": \"gold\"}\n")})); },
              throws_error(ErrorKind::data,
                           "a.jsonl: no row has one of the fields text, question, prompt, "));
}

TEST(EvaluationTexts, StopWhenAsked) {
  const TemporaryFolder folder;
  const std::atomic<bool> stop{true};
  RunOptions options;
  options.stop = &stop;
  cupel::Run run(options);
  EXPECT_THROW(
      read_evaluation_texts(evaluation_config({folder.write("a.txt", kLong)}), "text", run),
      Interrupted);
}

TEST(DecontaminateConfig, WantsAFile) {
  EXPECT_THAT(DecontaminateConfig{}.problems(), ElementsAre(HasSubstr("files: missing")));
}

}  // namespace
}  // namespace cupel::curate

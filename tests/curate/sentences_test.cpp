#include "curate/sentences.h"

#include <gmock/gmock.h>

#include <string>

namespace cupel::curate {
namespace {

using testing::ElementsAre;

std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> sentences;
  const std::vector<std::size_t> edges = sentence_edges(text);
  for (std::size_t i = 0; i + 1 < edges.size(); ++i)
    sentences.emplace_back(text.substr(edges[i], edges[i + 1] - edges[i]));
  return sentences;
}

TEST(Sentences, EndAfterTheirMarksAndQuotation) {
  EXPECT_THAT(sentences_of("One. \"Two?\" Three... Four"),
              ElementsAre("One. ", "\"Two?\" ", "Three... ", "Four"));
  EXPECT_THAT(sentences_of("他说：“走吧。”然后走了！好…再见"),
              ElementsAre("他说：“走吧。”", "然后走了！", "好…", "再见"));
}

TEST(Sentences, OfChineseEndWithoutASpaceBeforeAnyLetter) {
  EXPECT_THAT(sentences_of("好。All of it？3 days.Yes！）。no"),
              ElementsAre("好。", "All of it？", "3 days.Yes！）。", "no"));
  EXPECT_THAT(sentences_of("他说“走。”Then we went."), ElementsAre("他说“走。”", "Then we went."));
}

TEST(Sentences, DoNotEndInNumbersOrBeforeLowerCase) {
  EXPECT_THAT(sentences_of("It took 3.5 s, e.g. on the first day."),
              ElementsAre("It took 3.5 s, e.g. on the first day."));
}

TEST(Sentences, EndWithTheLine) {
  EXPECT_THAT(sentences_of("A title\n\nthe text\r\n"), ElementsAre("A title\n\n", "the text\r\n"));
}

TEST(Sentences, AreReadNoFurtherThanAsked) {
  EXPECT_THAT(sentence_edges("One. Two\nThree.", 0), ElementsAre(0u));
  EXPECT_THAT(sentence_edges("One. Two\nThree.", 2), ElementsAre(0u, 5u, 9u));
  EXPECT_THAT(sentence_edges("One. Two\nThree.", 3), ElementsAre(0u, 5u, 9u, 15u));
}

TEST(Sentences, AreNoneInAnEmptyText) {
  EXPECT_THAT(sentence_edges(""), ElementsAre(0u));
  EXPECT_THAT(sentence_edges("\n"), ElementsAre(0u, 1u));
}

}  // namespace
}  // namespace cupel::curate

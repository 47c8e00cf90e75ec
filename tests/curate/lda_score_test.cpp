#include "curate/lda_score.h"

#include <gtest/gtest.h>

#include "curate/topic_texts.h"

namespace cupel::curate {
namespace {

TEST(LdaScore, TellsTheReferencesTopicsFromTheBackgrounds) {
  ThreadPool pool(1);
  const std::vector<std::string> reference = texts_about(kBody, 60, 1),
                                 background = texts_about(kMoney, 60, 2);
  const LdaScore score(std::vector<std::string_view>(reference.begin(), reference.end()),
                       std::vector<std::string_view>(background.begin(), background.end()),
                       {.topics = 4, .sweeps = 60}, 1, pool);
  for (const std::string& text : texts_about(kBody, 20, 3)) EXPECT_GT(score.score(text), 1) << text;
  for (const std::string& text : texts_about(kMoney, 20, 4))
    EXPECT_LT(score.score(text), -1) << text;
  EXPECT_EQ(score.score("zebra quagga"), 0) << "no known term";
  EXPECT_GT(score.vocabulary().id("heart"), -1);
  EXPECT_EQ(score.model().topics(), 4);
}

}  // namespace
}  // namespace cupel::curate

#include "curate/ngram_score.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::curate {
namespace {

const std::vector<std::string_view> kHeart = {"the heart beats", "the heart rests"};
const std::vector<std::string_view> kMoney = {"the bank lends", "the bank saves"};

TEST(NgramScore, IsTheMeanLogarithmOfShares) {
  const NgramScore score(kHeart, kMoney);
  // Each set: 6 words and 4 pairs; the sets use 13 n-grams; "the" stands twice in both.
  const double seen = std::log((2 + 0.1) / 0.1), unseen = std::log(1.0);
  EXPECT_NEAR(score.score("heart"), seen, 1e-4);
  EXPECT_NEAR(score.score("bank"), -seen, 1e-4);
  EXPECT_NEAR(score.score("the"), unseen, 1e-4);
  EXPECT_NEAR(score.score("the heart"), (unseen + seen + seen) / 3, 1e-4);
}

TEST(NgramScore, ReadsTheOrderOfWords) {
  const NgramScore score(kHeart, kMoney);
  EXPECT_GT(score.score("the heart beats"), score.score("beats the heart"));
}

TEST(NgramScore, SaysNothingOfWhatItHasNeverSeen) {
  const NgramScore score(kHeart, kMoney);
  EXPECT_EQ(score.score("zebra"), 0);
  EXPECT_EQ(score.score(""), 0);
  EXPECT_EQ(score.score(" .,"), 0);
}

TEST(NgramScore, DoesNotSeeCaseWidthOrSpacing) {
  const NgramScore score(kHeart, kMoney);
  EXPECT_EQ(score.score("ＴＨＥ  Heart\nBEATS"), score.score("the heart beats"));
}

}  // namespace
}  // namespace cupel::curate

#include "data/bag_of_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace cupel {
namespace {

const std::vector<std::string> kTexts{"Send my money back", "send the money",  "where is my dog",
                                      "Where is the cat",   "thank you much",  "thank you, great",
                                      "not great at all",   "not great, never"};
const std::vector<int64_t> kLabels{0, 0, 1, 1, 2, 2, 3, 3};

TEST(BagOfWords, LearnsWordsAndNeighboursOfThem) {
  const BagOfWords model(kTexts, kLabels, 4);
  for (std::size_t i = 0; i < kTexts.size(); ++i)
    EXPECT_EQ(model.predict(kTexts[i]), kLabels[i]) << kTexts[i];
  EXPECT_EQ(model.predict("MONEY!"), 0);
  EXPECT_EQ(model.predict("it is not great"), 3);
}

TEST(BagOfWords, GivesTheSameModelAgain) {
  const std::vector<std::string> texts{"a b", "a b", "a c", "a c", "a c"};
  const std::vector<int64_t> labels{0, 0, 1, 1, 1};
  const BagOfWords one(texts, labels, 2), two(texts, labels, 2);
  EXPECT_EQ(one.words(), 5) << "a, b, c and two pairs";
  for (const char* text : {"a", "b", "c", "b c", ""})
    EXPECT_EQ(one.predict(text), two.predict(text));
}

TEST(BagOfWords, EndsWhenAsked) {
  const auto stop = [] { throw std::runtime_error("stop"); };
  EXPECT_THROW(BagOfWords(kTexts, kLabels, 4, stop), std::runtime_error);
}

}  // namespace
}  // namespace cupel

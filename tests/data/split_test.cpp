#include "data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Split, ASingleTextIsCutAfterALineAndNothingIsLost) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "line " + std::to_string(i) + "\n";
  const TextSplit split = split_running_text({text}, 0.1);
  ASSERT_EQ(split.kept.size(), 1u);
  ASSERT_EQ(split.held_out.size(), 1u);
  EXPECT_EQ(split.kept[0] + split.held_out[0], text);
  EXPECT_TRUE(split.kept[0].ends_with("\n"));
  EXPECT_NEAR(static_cast<double>(split.held_out[0].size()), 0.1 * static_cast<double>(text.size()),
              8);
}

TEST(Split, ATextWithoutLinesIsCutAtTheByte) {
  const TextSplit split = split_running_text({"abcdefghij"}, 0.3);
  EXPECT_THAT(split.kept, ElementsAre("abcdefg"));
  EXPECT_THAT(split.held_out, ElementsAre("hij"));
}

TEST(Split, DocumentsStayWhole) {
  const TextSplit split = split_running_text({"aaaa", "bbbb", "cccc", "dddd"}, 0.25);
  EXPECT_THAT(split.kept, ElementsAre("aaaa", "bbbb", "cccc"));
  EXPECT_THAT(split.held_out, ElementsAre("dddd"));
}

TEST(Split, ShareZeroKeepsEverything) {
  EXPECT_THAT(split_running_text({"a\nb"}, 0).held_out, IsEmpty());
  EXPECT_THAT(split_running_text({"a", "b"}, 0).kept, ElementsAre("a", "b"));
  EXPECT_FALSE(is_held_out("a", "b", 0));
}

TEST(Split, AboutTheShareOfTheRowsIsHeldOut) {
  int held_out = 0;
  for (int i = 0; i < 2000; ++i) held_out += is_held_out("row " + std::to_string(i), "x", 0.2);
  EXPECT_NEAR(held_out, 400, 60);
}

TEST(Split, TheBorderOfContextAndTargetCounts) {
  int differences = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string row = std::to_string(i);
    differences += is_held_out(row + "a", "b", 0.5) != is_held_out(row, "ab", 0.5);
  }
  EXPECT_GT(differences, 20);
}

TEST(Split, ATextWithoutLinesIsCutBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += "中";
  const TextSplit split = split_running_text({text}, 0.105);  // in byte 268, the second of three
  EXPECT_EQ(split.kept[0].size(), 267u);
  EXPECT_EQ(split.kept[0] + split.held_out[0], text);
}

TEST(Split, ALineEndFarFromTheShareDoesNotCount) {
  const std::string text = "title\n" + std::string(9994, 'x');
  EXPECT_EQ(split_running_text({text}, 0.1).kept[0].size(), 9000u);
}

}  // namespace
}  // namespace cupel

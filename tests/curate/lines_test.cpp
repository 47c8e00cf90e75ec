#include "curate/lines.h"

#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

TEST(Lines, AreThoseThatHoldMoreThanWhiteSpace) {
  const LineCounts c = count_lines("  one \n\n \t \r\ntwo\n");
  EXPECT_EQ(c.lines, 2);
  EXPECT_EQ(c.characters, 6);
  EXPECT_EQ(c.short_lines, 2);
  EXPECT_EQ(c.paragraphs, 2);
}

TEST(Lines, OfThirtyCharactersAreNotShort) {
  EXPECT_EQ(count_lines(std::string(29, 'x')).short_lines, 1);
  EXPECT_EQ(count_lines(std::string(30, 'x')).short_lines, 0);
}

TEST(Lines, EndWithMarksOfAnyScriptOrAQuotationMark) {
  EXPECT_EQ(count_lines("a.\n问？\n「好」\nsay \"x\"\nnot,\nnor:\nक।").ended_lines, 5);
}

TEST(Lines, BulletsAndEllipsesAreTold) {
  const LineCounts c = count_lines("• one\n- two…\n-3 degrees\n* four...\n未完……\nplain");
  EXPECT_EQ(c.bullet_lines, 3);
  EXPECT_EQ(c.ellipsis_lines, 3);
}

TEST(Lines, DuplicatesAreThoseAfterTheFirst) {
  const LineCounts c = count_lines("same\nsame\n\nother\n\nsame\nsame\n\n same \n same ");
  EXPECT_EQ(c.lines, 7);
  EXPECT_EQ(c.duplicate_lines, 5);
  EXPECT_EQ(c.duplicate_line_characters, 20);
  EXPECT_EQ(c.paragraphs, 4);
  EXPECT_EQ(c.duplicate_paragraphs, 2);
  EXPECT_EQ(c.duplicate_paragraph_characters, 16);
}

TEST(Lines, NoneInAnEmptyText) {
  EXPECT_EQ(count_lines("").lines, 0);
  EXPECT_EQ(count_lines("\n \n").paragraphs, 0);
}

TEST(C4Sentences, AreTakenFromWholeLinesOfProse) {
  EXPECT_EQ(count_c4_sentences("This is the first of them. And is this the second? Yes.", 9), 3);
  EXPECT_EQ(count_c4_sentences("This line has no end mark and goes", 9), 0);
  EXPECT_EQ(count_c4_sentences("Only four words here.", 9), 0);
  EXPECT_EQ(count_c4_sentences("You have to enable JavaScript to see this page.", 9), 0);
  EXPECT_EQ(count_c4_sentences("This line trails off at its end...", 9), 0);
}

TEST(C4Sentences, AreCountedNoFurtherThanAsked) {
  const char* text = "One of them is long. Two. Three.\nHere are five more words. Five.\n";
  EXPECT_EQ(count_c4_sentences(text, 2), 2);
  EXPECT_EQ(count_c4_sentences(text, 4), 4);
  EXPECT_EQ(count_c4_sentences(text, 9), 5);
}

TEST(C4Sentences, VersionsAndDecimalsEndNone) {
  EXPECT_EQ(count_c4_sentences("It took 3.5 seconds with version 2.0.1 of it.", 9), 1);
}

TEST(C4Sentences, AreFoundWithoutSpaces) {
  EXPECT_EQ(count_c4_sentences("今天天气很好，我们出去走走。你要一起来吗？好的！", 9), 3);
  EXPECT_EQ(count_c4_sentences("他说：“我们明天早上就出发。”然后他走了。", 9), 2);
  EXPECT_EQ(count_c4_sentences("太短了。", 9), 0);
}

TEST(ContainsIgnoringCase, FindsTheWordsAnywhere) {
  for (const char* text :
       {"lorem ipsum", "... Lorem IPSUM", "pp LOREM IPSUM dolor", "lorem lorem ipsum"})
    EXPECT_TRUE(contains_ignoring_case(text, "lorem ipsum", 'p')) << text;
  for (const char* text :
       {"", "p", "lorem", "lorem ips", "lorem\tipsum", "lorem\0ipsum", "loremipsum p"})
    EXPECT_FALSE(contains_ignoring_case(text, "lorem ipsum", 'p')) << text;
}

}  // namespace
}  // namespace cupel::curate

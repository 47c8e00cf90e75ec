#include "curate/markup.h"

#include <gtest/gtest.h>

namespace cupel::curate {
namespace {

TEST(MarkupCounts, CountsTagsEntitiesAndComments) {
  const MarkupCounts c = count_markup("<p class=\"x\">a</p><br/>&nbsp;&#169;&#xA9;<!-- note -->b");
  EXPECT_EQ(c.pieces, 7);
  EXPECT_EQ(c.characters, 13 + 4 + 5 + 6 + 6 + 6 + 13);
}

TEST(MarkupCounts, CountsWhatScriptsAndStylesHold) {
  EXPECT_EQ(count_markup("<script>var 甲 = 1;</script>text").characters, 27);
  EXPECT_EQ(count_markup("<style>p{}</style>").pieces, 1);
  EXPECT_EQ(count_markup("<!DOCTYPE html><HTML>").pieces, 2);
}

TEST(MarkupCounts, IsNoneInFormulasAndCode) {
  EXPECT_EQ(count_markup("p < 0.05 and q > 3; a<b; x <- y; std::vector<int> v; <me@x.org>").pieces,
            0);
  EXPECT_EQ(count_markup("AT&T; R&D; fish & chips; &unknown; &#; &#xyz;").pieces, 0);
  EXPECT_EQ(count_markup("Patients aged <p in the group without end").pieces, 0);
}

TEST(MarkupCounts, OfWhatIsNotClosedIsTheTagAlone) {
  EXPECT_EQ(count_markup("<script>var a").characters, 8);
  EXPECT_EQ(count_markup("<!-- never closed").pieces, 0);
  EXPECT_EQ(count_markup("<").pieces, 0);
  EXPECT_EQ(count_markup("&").pieces, 0);
  EXPECT_EQ(count_markup("<div").pieces, 0);
}

}  // namespace
}  // namespace cupel::curate

#include "data/jinja/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/jinja.h"

namespace cupel::jinja {
namespace {

using testing::ElementsAre;

TEST(JinjaText, SplitsAsPythonDoes) {
  EXPECT_THAT(split("a b  c", "", 1, false), ElementsAre("a", "b  c"));
  EXPECT_THAT(split("a b  c", "", 1, true), ElementsAre("a b", "c"));
  EXPECT_THAT(split("a,b,c", ",", 1, true), ElementsAre("a,b", "c"));
  EXPECT_THAT(split_lines("a\r\nb\n\nc", false), ElementsAre("a", "b", "", "c"));
}

TEST(JinjaText, WhiteSpaceIsThatOfUnicode) {
  EXPECT_EQ(strip("\u3000\u00a0x\u2003", "", true, true), "x");
  EXPECT_EQ(strip("你a你", "你", false, true), "你a");
}

TEST(JinjaText, EscapesAreThoseOfPython) {
  EXPECT_EQ(unescape("\\n\\x41\\u4f60\\101\\q\\ud800"), "\nA你A\\q\uFFFD");
}

TEST(JinjaText, CapitalsOfEveryScript) {
  EXPECT_EQ(upper("äß"), "ÄSS");
  EXPECT_EQ(title("they're"), "They'Re");
  EXPECT_EQ(title_filter("they're (so)"), "They're (So)");
  EXPECT_EQ(replace("ab", "", "-", -1), "-a-b-");
}

}  // namespace
}  // namespace cupel::jinja

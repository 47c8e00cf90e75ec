#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>

namespace cupel {
namespace {

TEST(Text, FindsWhereUtf8Ends) {
  EXPECT_EQ(valid_utf8_prefix("plain"), 5u);
  EXPECT_EQ(valid_utf8_prefix("é漢😀"), 9u);
  EXPECT_EQ(valid_utf8_prefix("ab\xff"
                              "cd"),
            2u);
  EXPECT_EQ(valid_utf8_prefix("é\xc3"), 2u) << "cut in the middle of a character";
  EXPECT_EQ(valid_utf8_prefix("\xc0\xaf"), 0u) << "an overlong form";
  EXPECT_EQ(valid_utf8_prefix("\xed\xa0\x80"), 0u) << "a surrogate";
  EXPECT_EQ(valid_utf8_prefix("\xf4\x90\x80\x80"), 0u) << "beyond U+10FFFF";
}

TEST(Text, ClipsAtACharacterAndSaysSo) {
  EXPECT_EQ(clip("漢字漢字", 4), "漢字漢字");
  EXPECT_EQ(clip("漢字漢字", 2), "漢字…");
}

TEST(Text, ClipMakesAnyBytesFitOnALine) {
  EXPECT_EQ(clip("a\nb\x1b[31m\xff", 100), "a b [31m\xEF\xBF\xBD");
  EXPECT_EQ(clip(std::string("a\0b", 3), 100), "a b");
}

TEST(Text, PrintsADoubleShortestAndReadsItBackEqual) {
  EXPECT_EQ(shortest(0.1), "0.1");
  EXPECT_EQ(shortest(2), "2.0");
  EXPECT_EQ(shortest(-0.0), "-0.0");
  EXPECT_EQ(shortest(1e300), "1e+300");
  EXPECT_EQ(shortest(INFINITY), "inf");
  EXPECT_EQ(shortest(std::nan("")), "nan");
  for (const double value : {1.0 / 3, 5e-324, std::numeric_limits<double>::max(), 0x1p53 + 2}) {
    EXPECT_EQ(std::strtod(shortest(value).c_str(), nullptr), value);
  }
}

TEST(Text, CountsLinesAndColumnsFromOne) {
  EXPECT_EQ(line_and_column("ab\ncd", 0), "1:1");
  EXPECT_EQ(line_and_column("ab\ncd", 4), "2:2");
  EXPECT_EQ(line_and_column("ab\n", 99), "2:1");
}

}  // namespace
}  // namespace cupel

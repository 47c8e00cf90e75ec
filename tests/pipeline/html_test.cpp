#include "pipeline/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "support/markup.h"

namespace cupel::pipeline::html {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, EscapesWhatMarkupWouldRead) {
  EXPECT_EQ(escape("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
}

TEST(Html, BytesThatAreNoTextBecomeTheReplacementCharacter) {
  EXPECT_EQ(escape("a\xff"
                   "b"),
            "a\uFFFDb");
  EXPECT_EQ(escape(std::string("a\0b\x1b", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(escape("line\nend\t"), "line\nend\t");
}

TEST(Html, NumbersAreWrittenForPeople) {
  EXPECT_EQ(number(1234567), "1,234,567");
  EXPECT_EQ(number(-1234), "-1,234");
  EXPECT_EQ(number(999), "999");
  EXPECT_EQ(number(0.031239), "0.03124");
  EXPECT_EQ(number(9741.8), "9,742");
  EXPECT_EQ(number(1.2e-7), "1.2e-07");
  EXPECT_EQ(number(NAN), "–");
  EXPECT_EQ(number(-INFINITY), "–");
}

TEST(Html, ShortNumbersFitBesideAnAxis) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(2000), "2k");
  EXPECT_EQ(short_number(1250000), "1.25M");
  EXPECT_EQ(short_number(2e-5), "2e-5");
  EXPECT_EQ(short_number(1e100), "1e100");
  EXPECT_EQ(short_number(-0.003), "-0.003");
}

TEST(Html, SizesAndTimesHaveTheirUnit) {
  EXPECT_EQ(byte_size(512), "512 B");
  EXPECT_EQ(byte_size(1.5 * 1024 * 1024 * 1024), "1.5 GiB");
  EXPECT_EQ(duration(3.14), "3.1 s");
  EXPECT_EQ(duration(200), "3 min 20 s");
  EXPECT_EQ(duration(7500), "2 h 5 min");
}

TEST(Html, AListOfPlainObjectsIsOneTable) {
  const json::Value rows = json::parse(R"([{"a": 1, "b": "x<y"}, {"a": 2, "c": null}])", "test");
  const std::string text = value(rows);
  EXPECT_EQ(count_of(text, "<table>"), 1);
  EXPECT_THAT(text, HasSubstr("<th>c</th>"));
  EXPECT_THAT(text, HasSubstr("x&lt;y"));
  EXPECT_EQ(markup_problem(text), "");
}

TEST(Html, ALongListIsCutAndSaysSo) {
  json::Array rows;
  for (int i = 0; i < 250; ++i) rows.push_back(json::Object{{"i", i}});
  const std::string text = value(rows);
  EXPECT_THAT(text, HasSubstr("50 more are left out here"));
  EXPECT_EQ(count_of(text, "<tr>"), 201);  // and the header
}

TEST(Html, APageIsWellFormedAndAsksForNothing) {
  const std::string text = page("a <b> & c", tiles({{"loss", "1.5", "x < y"}}) +
                                                 collapsible("more", table({"h"}, {{"1"}}, {0})));
  EXPECT_EQ(markup_problem(text), "");
  for (const char* request : {"<script", "http:", "https:", "url(", "@import", "src="})
    EXPECT_THAT(text, Not(HasSubstr(request)));
  EXPECT_THAT(text, HasSubstr("prefers-color-scheme: dark"));
}

TEST(Markup, TheWalkerFindsWhatIsBroken) {
  EXPECT_EQ(markup_problem("<p class=\"a\">x &amp; y<br/></p>"), "");
  for (const char* broken : {"<p>", "</p>", "<p><b></p></b>", "<p class=a></p>", "a & b", "a < b",
                             "<p class=\"<\"></p>", "\xff"})
    EXPECT_NE(markup_problem(broken), "") << broken;
}

}  // namespace
}  // namespace cupel::pipeline::html

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::Pair;

ReadRows read_csv(const std::string& bytes) {
  const TemporaryFolder folder;
  return read_rows(folder.write("a.csv", bytes));
}

auto refuses_csv(const std::string& bytes, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(
      std::function<void()>([bytes] { read_csv(bytes); }));
}

TEST(Csv, EveryValueIsTextUnderItsColumn) {
  const ReadRows got = read_csv("id,text\n1,gold\n2, 3.5 \n");
  EXPECT_THAT(got.rows, ElementsAre(R"({"id":"1","text":"gold"})", R"({"id":"2","text":" 3.5 "})"));
  EXPECT_THAT(got.lines, ElementsAre(2, 3));
  EXPECT_EQ(got.counts.rows, 2);
  EXPECT_EQ(got.counts.rejected, 0);
}

TEST(Csv, QuotedFieldsHoldCommasQuotesAndLineBreaks) {
  const ReadRows got =
      read_csv("a,b\n\"x,y\",\"he said \"\"no\"\"\"\n\"one\n\ntwo\",\"\"\nlast,\"\"\"\"\n");
  EXPECT_THAT(got.rows, ElementsAre(R"({"a":"x,y","b":"he said \"no\""})",
                                    R"({"a":"one\n\ntwo","b":""})", R"({"a":"last","b":"\""})"));
  EXPECT_THAT(got.lines, ElementsAre(2, 3, 6)) << "a record's line is that of its beginning";
}

TEST(Csv, ReadsCrlfAByteOrderMarkAndALastLineWithoutEnd) {
  const ReadRows got = read_csv("\xEF\xBB\xBF\"a\",b\r\n1,2\r\n\r\n3,");
  EXPECT_THAT(got.rows, ElementsAre(R"({"a":"1","b":"2"})", R"({"a":"3","b":""})"));
}

TEST(Csv, AQuoteInsideAnUnquotedFieldIsACharacter) {
  EXPECT_THAT(read_csv("a,b\n5\" pipe, \"x\n").rows, ElementsAre(R"({"a":"5\" pipe","b":" \"x"})"));
}

TEST(Csv, RaggedRowsAreRejectedWithTheirLine) {
  const ReadRows got = read_csv("a,b\n1,2\n1\n1,2,3\n\"p\"q,2\n\"\n\n\",\n3,4\n");
  EXPECT_THAT(got.lines, ElementsAre(2, 6, 9));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(3, "columns"), Pair(4, "columns"), Pair(5, "quote")));
  EXPECT_THAT(got.rejected_texts, ElementsAre("1", "1,2,3", "\"p\"q,2"));
  EXPECT_EQ(got.counts.rows, 6);
  EXPECT_EQ(got.counts.rejected, 3);
}

TEST(Csv, BytesThatAreNoUtf8AreRejectedAndNulIsKept) {
  const ReadRows got = read_csv(std::string("a\nx\xff\nn\0l\n", 9));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "utf8")));
  EXPECT_THAT(got.rows, ElementsAre("{\"a\":\"n\\u0000l\"}"));
}

TEST(Csv, AQuoteThatIsNeverClosedEndsTheRunWithTheLineWhereItOpened) {
  EXPECT_TRUE(refuses_csv("a,b\n1,2\n\"open,2\n3,4\n", ":3: a quoted field is never closed"));
}

TEST(Csv, ARowOverTheLimitEndsTheRunForItMayBeAnOpenQuote) {
  const std::string line(std::size_t{40} << 20, 'x');
  EXPECT_TRUE(refuses_csv("a\n1\n" + line + "\n2\n",
                          ":3: row longer than 32 MiB; shorten it, or close the quote"));
  std::string many = "a\n\"";
  for (int i = 0; i < 34; ++i) many += std::string(std::size_t{1} << 20, 'x') + "\n";
  EXPECT_TRUE(refuses_csv(many + "\"\n", ":2: row longer than 32 MiB"));
}

TEST(Csv, TooManyFieldsCostNoMemory) {
  const std::string commas(std::size_t{1} << 20, ',');
  EXPECT_TRUE(refuses_csv(commas + "\n1\n", ":1: more than 100000 fields"));
  const ReadRows got = read_csv("a,b\n1,2\n" + commas + "\n");
  EXPECT_THAT(got.rejects, ElementsAre(Pair(3, "columns")));
}

TEST(Csv, RefusesAHeaderThatNamesNoColumns) {
  EXPECT_TRUE(refuses_csv("a,b,a\n1,2,3\n", ":1: column \"a\" stands twice"));
  EXPECT_TRUE(refuses_csv("\n\na,\xff\n1,2\n", ":3: header is not valid UTF-8; convert the file"));
  EXPECT_TRUE(refuses_csv("\"a\"b,c\n1,2\n", ":1: text after a closing quote"));
  EXPECT_TRUE(
      refuses_csv("\n\n", "a.csv: file has no header line; name the columns in its first line"));
  EXPECT_TRUE(refuses_csv("a,b\n\n", "a.csv: file has no rows"));
  EXPECT_TRUE(refuses_csv("", "a.csv: file is empty"));
}

}  // namespace
}  // namespace cupel

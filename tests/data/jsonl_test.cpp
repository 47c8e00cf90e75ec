#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::Pair;

ReadRows read_jsonl(const std::string& bytes, const ReadOptions& options = {}) {
  const TemporaryFolder folder;
  return read_rows(folder.write("a.jsonl", bytes), options);
}

TEST(Jsonl, ReadsEveryTypeOfValueInFileOrder) {
  const ReadRows got = read_jsonl(
      "{\"b\": [1, -2.5, true, null], \"a\": {\"x\": \"é\\n\\ud83d\\ude00\"}}\r\n"
      "\n \t\n"
      "  {\"n\": 9223372036854775807, \"u\": 9223372036854775808, \"big\": 1e300}");
  EXPECT_THAT(got.rows,
              ElementsAre(R"({"b":[1,-2.5,true,null],"a":{"x":"é\n😀"}})",
                          R"({"n":9223372036854775807,"u":9223372036854775808.0,"big":1e+300})"));
  EXPECT_THAT(got.lines, ElementsAre(1, 4));
  EXPECT_EQ(got.counts.rows, 2) << "blank lines are no rows";
}

TEST(Jsonl, AnIntegerBeyondSixtyFourBitsBecomesADouble) {
  EXPECT_THAT(read_jsonl(R"({"a": 100000000000000000000})").rows, ElementsAre(R"({"a":1e+20})"));
}

TEST(Jsonl, EveryBadRowIsARejectWithItsLineAndRule) {
  const std::string nul("{\"a\": \"x\0y\"}", 12);
  const ReadRows got =
      read_jsonl("{\"a\": 1}\n{\"a\": 1,}\n{\"a\": \"\xff\"}\n{\"a\": 1, \"b\": 2, \"a\": 3}\n" +
                 nul + "\n{\"a\": \"\\ud800\"}\n{\"\\udc00\": 1}\n{\"a\": 1} {}\n{\"a\"\n" +
                 "[1]\n7\nNaN\n{\"a\": 1e999}\n{\"a\": \"\\x\"}\n{\"z\": 1}\n");
  EXPECT_THAT(got.lines, ElementsAre(1, 15));
  EXPECT_THAT(got.rejects,
              ElementsAre(Pair(2, "json"), Pair(3, "utf8"), Pair(4, "json"), Pair(5, "json"),
                          Pair(6, "json"), Pair(7, "json"), Pair(8, "json"), Pair(9, "json"),
                          Pair(10, "not_an_object"), Pair(11, "not_an_object"), Pair(12, "json"),
                          Pair(13, "json"), Pair(14, "json")));
  EXPECT_EQ(got.counts.rows, 15);
  EXPECT_EQ(got.counts.rejected, 13);
}

TEST(Jsonl, OnlyWholeSurrogatePairsAreCharacters) {
  const std::vector<std::string> halves{"0041", "d7ff", "d800", "dbff", "dc00", "dfff", "e000"};
  std::string rows, expected;
  for (const std::string& first : halves) {
    for (const std::string& second : halves) {
      rows += "{\"a\": \"\\u" + first + "\\u" + second + "\"}\n";
      rows += "{\"\\u" + first + "\\u" + second + "\": 1}\n";
      const bool high = first[0] == 'd' && first[1] >= '8' && first[1] <= 'b';
      const bool low = second[0] == 'd' && second[1] >= 'c';
      const bool single =
          (first[0] != 'd' || first[1] < '8') && (second[0] != 'd' || second[1] < '8');
      expected += single || (high && low) ? "++" : "--";
    }
  }
  std::string got(2 * halves.size() * halves.size(), '-');
  for (const int64_t line : read_jsonl(rows).lines) got[static_cast<std::size_t>(line) - 1] = '+';
  EXPECT_EQ(got, expected);
}

TEST(Jsonl, AKeyThatStandsTwiceIsRefusedAtEveryLevelAndInEverySpelling) {
  const ReadRows got =
      read_jsonl("{\"a\": {\"x\": 1, \"x\": 1}}\n{\"a\": [{\"k\": 1, \"\\u006b\": 2}]}\n" +
                 std::string("{\"a\": {\"a\": 1}}\n"));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(1, "json"), Pair(2, "json")));
  EXPECT_THAT(got.lines, ElementsAre(3));
}

TEST(Jsonl, NestingIsLimitedAsInAllOtherJson) {
  const auto nested = [](std::size_t depth) {  // the row itself is a level
    return "{\"a\": " + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}\n";
  };
  const ReadRows got = read_jsonl(nested(64) + nested(65) + nested(1'000'000));
  EXPECT_THAT(got.lines, ElementsAre(1));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "json"), Pair(3, "json")));
}

TEST(Jsonl, ALineOfFortyMebibytesIsARejectAndTheNextOneIsRead) {
  const std::string huge = "{\"a\": \"" + std::string(std::size_t{40} << 20, 'x') + "\"}\n";
  const ReadRows got = read_jsonl("{\"a\": 1}\n" + huge + "{\"a\": 3}\n");
  EXPECT_THAT(got.lines, ElementsAre(1, 3));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "line_too_long")));
  EXPECT_EQ(got.rejected_texts[0].substr(0, 10), "{\"a\": \"xxx");
  EXPECT_LT(got.rejected_texts[0].size(), 300u);
}

TEST(Jsonl, ALongRowAfterAShortOneIsReadWhole) {
  const std::string text(std::size_t{3} << 20, 'x');
  const ReadRows got = read_jsonl("{\"a\": 1}\n{\"a\": \"" + text + "\"}\n{\"a\": 2}");
  ASSERT_EQ(got.rows.size(), 3u);
  EXPECT_EQ(got.rows[1].size(), text.size() + 8);
}

TEST(Jsonl, RowsThatAreArraysGetTheNamesOfColumns) {
  ReadOptions options;
  options.columns = {"x", "y"};
  const ReadRows got = read_jsonl("[1, \"a\"]\n[1]\n{\"z\": 1}\n", options);
  EXPECT_THAT(got.rows, ElementsAre(R"({"x":1,"y":"a"})", R"({"z":1})"));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "columns")));
}

TEST(Jsonl, WithoutAPlaceForRejectsTheFirstOneEndsTheRun) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.jsonl", "{\"a\": 1}\n{\"a\" 2}\n");
  const RowCallback take = [](json::Value&&, int64_t) { return std::optional<RowProblem>(); };
  EXPECT_THAT([&] { for_each_row(path, {}, take, nullptr); },
              throws_error(ErrorKind::data, "a.jsonl:2: not well-formed JSON"));
}

}  // namespace
}  // namespace cupel

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::Pair;

ReadRows read_json(const std::string& bytes, const std::string& split = "") {
  const TemporaryFolder folder;
  ReadOptions options;
  options.split = split;
  options.columns = {"x", "y"};
  return read_rows(folder.write("a.json", bytes), options);
}

auto refuses_json(ErrorKind kind, const std::string& bytes, const std::string& message,
                  const std::string& split = "") {
  return testing::Matches(throws_error(kind, message))(
      std::function<void()>([bytes, split] { read_json(bytes, split); }));
}

TEST(JsonDocument, ElementsAreRowsWithTheLineWhereTheyBegin) {
  const ReadRows got =
      read_json("\xEF\xBB\xBF[\n{\"a\": 1},\n\n{\n\"a\": \"]},[\"\n},\n[1, 2], {}\n]\n");
  EXPECT_THAT(got.rows, ElementsAre(R"({"a":1})", R"({"a":"]},["})", R"({"x":1,"y":2})", "{}"));
  EXPECT_THAT(got.lines, ElementsAre(2, 4, 7, 7));
}

TEST(JsonDocument, AnObjectHoldsASplitForEachName) {
  const std::string text = R"({"train": [{"a": 1}], "te\u0073t": [{"a": 2}, {"a": 3}]})";
  EXPECT_EQ(read_json(text, "train").rows.size(), 1u);
  EXPECT_EQ(read_json(text, "test").rows.size(), 2u);
  EXPECT_TRUE(refuses_json(ErrorKind::config, text,
                           "a.json: has no split \"dev\"; set split to one of: train, test",
                           "dev"));
  EXPECT_TRUE(
      refuses_json(ErrorKind::config, text, "a.json: is an object of splits; set split to one"));
  EXPECT_TRUE(refuses_json(ErrorKind::data, R"({"a": [{}], "a": [{}]})",
                           "split \"a\" stands twice; rename one of them", "a"));
}

TEST(JsonDocument, BadElementsAreRejectsAndTheOthersAreRows) {
  const ReadRows got = read_json(
      "[{\"a\": 1},\n7,\n\"text\",\n{\"a\": 1, \"a\": 2},\n{\"a\": 01},\n"
      "{\"a\": \"\\ud800\"},\n[1],\nnull,\n{\"a\": 2}]");
  EXPECT_THAT(got.lines, ElementsAre(1, 9));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "not_an_object"), Pair(3, "not_an_object"),
                                       Pair(4, "json"), Pair(5, "json"), Pair(6, "json"),
                                       Pair(7, "columns"), Pair(8, "not_an_object")));
  EXPECT_EQ(got.counts.rows, 9);
}

TEST(JsonDocument, ARowOverTheLimitIsARejectAndTheNextOneIsRead) {
  const std::string huge = "{\"a\": \"" + std::string(std::size_t{40} << 20, 'x') + "\"}";
  const ReadRows got = read_json("[{\"a\": 1},\n" + huge + ",\n{\"a\": 3}]");
  EXPECT_THAT(got.lines, ElementsAre(1, 3));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "line_too_long")));
}

TEST(JsonDocument, ADeepRowIsAReject) {
  const ReadRows got = read_json("[{\"a\": 1},\n{\"a\": " + std::string(500, '[') +
                                 std::string(500, ']') + "},\n{\"a\": 3}]");
  EXPECT_THAT(got.lines, ElementsAre(1, 3));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "json")));
}

TEST(JsonDocument, WhatIsNoWholeDocumentEndsTheRun) {
  for (const char* text : {"[{\"a\": 1}", "[{\"a\": 1},", "[{\"a\": 1} {\"a\": 2}]",
                           "[{\"a\": 1},]", "   ", "\n", "7", "\"text\"", "{\"train\": 7}",
                           "{\"train\": [{}]", "[,]", "{]", "[}", "{\"train\" [{}]}", "]"}) {
    EXPECT_TRUE(refuses_json(ErrorKind::data, text, "a.json:", "train")) << text;
  }
  EXPECT_TRUE(
      refuses_json(ErrorKind::data, "[{\"a\": 1}]\n{\"a\": 2}", "not a JSON array of rows"));
  EXPECT_TRUE(refuses_json(ErrorKind::data, "[{\"a\": 1}]\n[]", "a.json:2: "));
  EXPECT_TRUE(
      refuses_json(ErrorKind::data, "[{\"a\": \"\xff\"}]", "a.json:1: not a JSON array of rows"));
  EXPECT_TRUE(refuses_json(ErrorKind::data, std::string("[{\"a\": \"\0\"}]", 12), "a.json:1: "));
  EXPECT_TRUE(refuses_json(ErrorKind::data, std::string(100'000, '['), "a.json:1: "));
  EXPECT_TRUE(refuses_json(ErrorKind::data, "[]", "a.json: file has no rows"));
  EXPECT_TRUE(refuses_json(ErrorKind::data, "", "a.json: file is empty"));
}

TEST(JsonDocument, AFileOfLinesIsToldItsRightName) {
  EXPECT_TRUE(refuses_json(ErrorKind::data, "[1, 2]\n[3, 4]\n",
                           "; correct the file; one with one object a line must be named .jsonl"));
  for (const char* split : {"", "a", "b"}) {
    EXPECT_TRUE(refuses_json(ErrorKind::data, "{\"a\": [1], \"b\": 1}\n{\"a\": [2], \"b\": 2}\n",
                             "a.json:2: text after the end of the JSON document; correct", split));
    EXPECT_TRUE(refuses_json(ErrorKind::data, "{\"a\": 1, \"b\": {\"c\": [1]}}",
                             "a.json: is an object without a list of rows; correct the file",
                             split));
  }
}

TEST(JsonDocument, ASplitIsAMemberThatIsAList) {
  EXPECT_TRUE(refuses_json(ErrorKind::config, R"({"a": [{}], "version": 1, "b": [{}]})",
                           "a.json: has no split \"version\"; set split to one of: a, b",
                           "version"));
}

}  // namespace
}  // namespace cupel

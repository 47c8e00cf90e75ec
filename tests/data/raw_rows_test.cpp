#include "data/raw_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

using Row = std::tuple<std::string, int64_t, std::string>;  // bytes, line, rule

std::vector<Row> rows_of(const std::filesystem::path& path, std::size_t batch_bytes = 1 << 20) {
  std::vector<Row> rows;
  for_each_raw_batch(path, batch_bytes, [&](const std::vector<RawRow>& batch) {
    for (const RawRow& row : batch) {
      const bool bad = row.problem != nullptr;
      rows.emplace_back(bad ? "" : row.json, row.line, bad ? row.problem->rule : "");
    }
  });
  return rows;
}

std::string rule_of(RowFieldParser& parser, std::string_view json) {
  RowFields fields;
  const auto problem = parser.parse(json, 7, fields);
  return problem ? problem->rule : "";
}

TEST(RawRows, AreTheLinesOfAJsonlByteForByteWhateverTheBatch) {
  const TemporaryFolder folder;
  const std::string text = "{\"text\": \"a\",  \"x\":1}\n\n{\"text\":\"b\"}\r\nnot json\n  \n{}";
  const std::vector<Row> wanted{{"{\"text\": \"a\",  \"x\":1}", 1, ""},
                                {"{\"text\":\"b\"}", 3, ""},
                                {"not json", 4, ""},
                                {"{}", 6, ""}};
  for (const std::size_t batch : {std::size_t{1}, std::size_t{20}, std::size_t{1} << 20}) {
    EXPECT_EQ(rows_of(folder.write("a.jsonl", text), batch), wanted) << batch;
    EXPECT_EQ(rows_of(folder.write("a.jsonl.gz", gzip_bytes(text)), batch), wanted) << batch;
    EXPECT_EQ(rows_of(folder.write("a.jsonl.zst", zstd_bytes(text)), batch), wanted) << batch;
  }
}

TEST(RawRows, OfAPlainJsonlStandAtTheirOffset) {
  const TemporaryFolder folder;
  std::string text = "\xEF\xBB\xBF{\"text\": \"first\"}\n" + std::string(40 << 20, ' ') + "\n";
  for (int i = 0; i < 30'000; ++i) text += "{\"text\": \"row " + std::to_string(i) + "\"}\r\n";
  const auto path = folder.write("a.jsonl", text);
  ASSERT_TRUE(holds_rows(path));
  int64_t rows = 0;
  for_each_raw_batch(path, 4096, [&](const std::vector<RawRow>& batch) {
    for (const RawRow& row : batch) {
      ++rows;
      if (row.problem != nullptr) continue;
      EXPECT_EQ(text.substr(static_cast<std::size_t>(row.offset), row.json.size()), row.json);
    }
  });
  EXPECT_EQ(rows, 30'002) << "one of them too long to be read";
  EXPECT_FALSE(holds_rows(folder / "a.jsonl.gz"));
}

TEST(RawRows, OfOtherFormatsBecomeObjectsOnALine) {
  const TemporaryFolder folder;
  EXPECT_EQ(rows_of(folder.write("a.csv", "id,text\n1,\"a \"\"b\"\"\nc\"\n2\n3,d\n")),
            (std::vector<Row>{{R"({"id":"1","text":"a \"b\"\nc"})", 2, ""},
                              {"", 4, "columns"},
                              {R"({"id":"3","text":"d"})", 5, ""}}));
  EXPECT_EQ(rows_of(folder.write("a.txt", "gold\n\nsilver\n")),
            (std::vector<Row>{{R"({"text":"gold"})", 1, ""}, {R"({"text":"silver"})", 3, ""}}));
  EXPECT_EQ(rows_of(folder.write("a.json", "[{\"text\": \"a\"},\n 3, {\"text\": \"b\"}]")),
            (std::vector<Row>{
                {R"({"text":"a"})", 1, ""}, {"", 2, "not_an_object"}, {R"({"text":"b"})", 2, ""}}));
}

TEST(RawRows, OfAFileThatHasNoneThatCanBeReadAreProblemsToo) {
  const TemporaryFolder folder;
  EXPECT_EQ(rows_of(folder.write("a.csv", "id,text\n1\n2\n")),
            (std::vector<Row>{{"", 2, "columns"}, {"", 3, "columns"}}));
  EXPECT_EQ(rows_of(folder.write("a.json", "[1,\n\"x\"]")),
            (std::vector<Row>{{"", 1, "not_an_object"}, {"", 2, "not_an_object"}}));
  EXPECT_EQ(rows_of(folder.write("a.txt", "\xFF\n")), (std::vector<Row>{{"", 1, "utf8"}}));
  EXPECT_EQ(rows_of(folder.write("b.csv", "id,text\n")), std::vector<Row>{});
}

TEST(RawRows, ALineOfFortyMebibytesIsOneProblemAndTheNextRowIsFine) {
  const TemporaryFolder folder;
  const std::string text =
      "{\"text\": \"" + std::string(40 << 20, 'x') + "\"}\n{\"text\": \"b\"}\n";
  EXPECT_EQ(rows_of(folder.write("a.jsonl", text)),
            (std::vector<Row>{{"", 1, "line_too_long"}, {"{\"text\": \"b\"}", 2, ""}}));
}

TEST(RawRows, ACompressedFileThatGrowsWithoutEndIsRefused) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.jsonl.gz", gzip_bytes(std::string(40 << 20, 'x')));
  EXPECT_THAT([&] { rows_of(path); }, throws_error(ErrorKind::data, "expands to more than 200"));
}

TEST(RowFields, GivesTextIdAndTheFirstRequiredFieldThatIsMissing) {
  RowFieldParser parser("text", "id", {"label", "source"});
  RowFields fields;
  ASSERT_FALSE(parser.parse(R"({"text":"a\u00e9\n","id":"x","label":1,"source":"s"})", 1, fields));
  EXPECT_EQ(fields.text, "aé\n");
  EXPECT_EQ(fields.id, "x");
  EXPECT_EQ(fields.missing, "");
  ASSERT_FALSE(parser.parse(R"({"id": 12, "text": "", "label": "", "source": "s"})", 1, fields));
  EXPECT_EQ(fields.id, "12");
  EXPECT_EQ(fields.missing, "label") << "an empty text says nothing";
  ASSERT_FALSE(parser.parse(R"({"text": "", "label": false, "source": null})", 31, fields));
  EXPECT_EQ(fields.id, "31") << "the line";
  EXPECT_EQ(fields.missing, "source");
}

TEST(RowFields, OfABigRowAreTheSame) {
  RowFieldParser parser("text", "id", {"label"});
  const std::string text(3 << 20, 'x');
  RowFields fields;
  ASSERT_FALSE(parser.parse("{\"text\":\"" + text + "\",\"id\":\"a\"}", 1, fields));
  EXPECT_EQ(fields.text, text);
  EXPECT_EQ(fields.id, "a");
  EXPECT_EQ(fields.missing, "label");
  EXPECT_TRUE(parser.parse("{\"text\":\"" + text, 1, fields));
}

TEST(RowFields, SaysWhyARowCannotBeTaken) {
  RowFieldParser parser("text", "id", {});
  EXPECT_EQ(rule_of(parser, R"({"text":"a")"), "json");
  EXPECT_EQ(rule_of(parser, R"({"text":"a"} x)"), "json");
  EXPECT_EQ(rule_of(parser, R"({"text":"a","n":[tru]})"), "json") << "beside the fields";
  EXPECT_EQ(rule_of(parser, R"({"text":"a","text":"b"})"), "json");
  EXPECT_EQ(rule_of(parser, R"({"text":"a","n":[{"k":1,"k":2}]})"), "json");
  EXPECT_EQ(rule_of(parser, "{\"text\":\"caf\xe9\"}"), "utf8");
  EXPECT_EQ(rule_of(parser, R"(["text"])"), "not_an_object");
  EXPECT_EQ(rule_of(parser, R"({"content":"a"})"), "missing_field");
  EXPECT_EQ(rule_of(parser, R"({"text":5})"), "wrong_type");
  EXPECT_EQ(rule_of(parser, R"({"text":"a\u0000b"})"), "nul");
  EXPECT_EQ(rule_of(parser, R"({"text":"a","id":1.5})"), "wrong_type");
  EXPECT_EQ(rule_of(parser, std::string(100, '[')), "json");
  EXPECT_EQ(rule_of(parser, R"({"text":"a","n":123456789012345678901234567890})"), "");
}

TEST(RowFields, AgreesWithTheReaderOfWholeRows) {
  const TemporaryFolder folder;
  std::string keys;
  for (int i = 0; i < 40; ++i) keys += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const std::vector<std::string> lines{"{\"text\":\"a\"}",
                                       "{" + keys + "\"text\":\"b\"}",
                                       "{" + keys + "\"k3\":1,\"text\":\"c\"}",
                                       "null",
                                       "7",
                                       "\"x\"",
                                       "{\"text\":\"\\ud800\"}",
                                       "{\"text\":\"a\",}",
                                       "{text:1}"};
  RowFieldParser parser("text", "id", {});
  for (const std::string& line : lines) {
    const auto path = folder.write("one.jsonl", line + "\n{}\n");  // one good row beside it
    const bool rejected = !read_rows(path).rejects.empty();
    EXPECT_EQ(!rule_of(parser, line).empty(), rejected) << line;
  }
}

}  // namespace
}  // namespace cupel

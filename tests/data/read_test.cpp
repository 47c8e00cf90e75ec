#include "data/read.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

using testing::ElementsAre;

std::vector<std::string> texts(const Corpus& corpus) {
  std::vector<std::string> result;
  for (const Document& document : corpus.documents) result.push_back(document.text);
  return result;
}

TEST(Read, TheFormatGoesByTheExtensionWithAndWithoutCompression) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> files{{"a.jsonl", "{\"text\": \"x\"}\n"},
                                                               {"a.json", "[{\"text\": \"x\"}]"},
                                                               {"a.csv", "text\nx\n"},
                                                               {"a.txt", "x\n"}};
  for (const auto& file : files) {
    for (const auto& path : {folder.write(file.first, file.second),
                             folder.write(file.first + ".gz", gzip_bytes(file.second)),
                             folder.write(file.first + ".zst", zstd_bytes(file.second))}) {
      EXPECT_THAT(read_rows(path).rows, ElementsAre(R"({"text":"x"})")) << path;
    }
  }
}

TEST(Read, AnUnknownExtensionListsTheKnownOnes) {
  const TemporaryFolder folder;
  for (const char* name : {"a.parquet.gz", "a", "a.gz", "a.jsonl.bz2", ".jsonl"}) {
    const auto path = folder.write(name, "x");
    EXPECT_THAT([&] { read_rows(path); },
                throws_error(ErrorKind::config, "known: .jsonl .json .csv .txt"))
        << name;
  }
}

TEST(Read, PickleFilesAreRefusedWithTheWayToConvertThem) {
  const TemporaryFolder folder;
  for (const char* name : {"a.pt", "a.pth", "a.bin", "a.pkl", "a.pickle"}) {
    EXPECT_THAT([&] { read_rows(folder / name); },
                throws_error(ErrorKind::config, "pickle files can run code and are not read"));
  }
}

TEST(Read, AMissingFileAndAFolderAreErrorsOfTheRecipe) {
  const TemporaryFolder folder;
  for (const char* name : {"a.jsonl", "a.json", "a.csv", "a.txt"}) {
    EXPECT_THAT([&] { read_rows(folder / name); },
                throws_error(ErrorKind::config, std::string(name) + ": no such file"));
    const auto path = folder.write(std::string("folder-") + name + "/x", "x").parent_path();
    EXPECT_THAT([&] { read_rows(path); }, throws_error(ErrorKind::config, "is a folder"));
  }
}

TEST(Read, AFileWhoseRowsAreAllRejectedIsAnErrorWithTheFirstProblem) {
  const TemporaryFolder folder;
  const auto path = folder.write("a.jsonl", "\n{\"a\": 1\n7\n");
  EXPECT_THAT([&] { read_rows(path); }, throws_error(ErrorKind::data, "a.jsonl:2: "));
  EXPECT_THAT([&] { read_rows(path); },
              throws_error(ErrorKind::data, "(none of the file's 2 rows can be read)"));
  EXPECT_THAT([&] { read_rows(folder.write("b.jsonl", "\n \n")); },
              throws_error(ErrorKind::data, "b.jsonl: file has no rows"));
}

TEST(Read, ARowThatTheCallbackRefusesIsARejectWithItsText) {
  const TemporaryFolder folder;
  std::vector<Reject> rejects;
  const RowCallback odd = [](json::Value&& row, int64_t) -> std::optional<RowProblem> {
    if (row.at("a", "").as_int("") % 2 == 1) return std::nullopt;
    return RowProblem{"even", "a is even"};
  };
  const auto path = folder.write("a.jsonl", "{\"a\": 1}\n{\"a\":  2}\n{\"a\": 3}\n");
  const ReadCounts counts = for_each_row(path, {}, odd, &rejects);
  EXPECT_EQ(counts.rows, 3);
  ASSERT_EQ(rejects.size(), 1u);
  EXPECT_EQ(rejects[0].input, path.string());
  EXPECT_EQ(rejects[0].line, 2);
  EXPECT_EQ(rejects[0].rule, "even");
  EXPECT_EQ(rejects[0].text, "{\"a\":  2}");
  EXPECT_THAT([&] { for_each_row(path, {}, odd, nullptr); },
              throws_error(ErrorKind::data, "a.jsonl:2: a is even; correct or remove the row"));
}

TEST(ReadCorpus, TakesTextAndIdAndRejectsWhatHasNone) {
  const TemporaryFolder folder;
  std::vector<Reject> rejects;
  const auto path = folder.write(
      "a.jsonl",
      "{\"text\": \"one\", \"id\": \"x\"}\n{\"text\": \"two\", \"id\": 7}\n{\"text\": \"three\"}\n"
      "{\"text\": \"four\", \"id\": null}\n{\"id\": 5}\n{\"text\": 6}\n{\"text\": \"a\\u0000b\"}\n"
      "{\"text\": \"eight\", \"id\": [1]}\n{\"text\": \"\"}\n");
  const Corpus corpus = read_corpus(path, {}, &rejects);
  EXPECT_THAT(texts(corpus), ElementsAre("one", "two", "three", "four", ""));
  std::vector<std::string> ids;
  for (const Document& document : corpus.documents) ids.push_back(document.id);
  EXPECT_THAT(ids, ElementsAre("x", "7", "3", "4", "9"));
  std::vector<std::pair<int64_t, std::string>> found;
  for (const Reject& reject : rejects) found.emplace_back(reject.line, reject.rule);
  EXPECT_THAT(found, ElementsAre(std::pair(5, "missing_field"), std::pair(6, "wrong_type"),
                                 std::pair(7, "nul"), std::pair(8, "wrong_type")));
  EXPECT_EQ(corpus.rows, 9);
  EXPECT_EQ(corpus.rejected, 4);
}

TEST(ReadCorpus, AWrongFieldNameIsToldByTheFirstRow) {
  const TemporaryFolder folder;
  CorpusOptions options;
  options.text_field = "body";
  std::vector<Reject> rejects;
  EXPECT_THAT(
      [&] { read_corpus(folder.write("a.csv", "text\nx\ny\n"), options, &rejects); },
      throws_error(ErrorKind::data, "a.csv:2: field \"body\": missing (none of the file's 2 rows"));
}

TEST(ReadCorpus, PlainTextNeedsNoFieldName) {
  const TemporaryFolder folder;
  CorpusOptions options;
  options.text_field = "body";
  const auto path = folder.write("a.txt", "one\n\ntwo");
  EXPECT_THAT(texts(read_corpus(path, options, nullptr)), ElementsAre("one\n\ntwo"));
  options.document_a_line = true;
  const Corpus lines = read_corpus(path, options, nullptr);
  EXPECT_THAT(texts(lines), ElementsAre("one", "two"));
  EXPECT_EQ(lines.documents[1].line, 3);
  EXPECT_EQ(lines.documents[1].id, "3");
}

}  // namespace
}  // namespace cupel

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/read_rows.h"

namespace cupel {
namespace {

using testing::ElementsAre;
using testing::Pair;

Corpus whole(const std::string& bytes) {
  const TemporaryFolder folder;
  return read_corpus(folder.write("a.txt", bytes), {}, nullptr);
}

auto refuses_txt(const std::string& bytes, const std::string& message) {
  return testing::Matches(throws_error(ErrorKind::data, message))(
      std::function<void()>([bytes] { whole(bytes); }));
}

TEST(Txt, ALineIsARowAndABlankOneIsNone) {
  const TemporaryFolder folder;
  const ReadRows got = read_rows(folder.write("a.txt", "\xEF\xBB\xBFone\r\n\n \nb\xffy\nlast"));
  EXPECT_THAT(got.rows, ElementsAre(R"({"text":"one"})", R"({"text":" "})", R"({"text":"last"})"));
  EXPECT_THAT(got.lines, ElementsAre(1, 3, 5));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(4, "utf8")));
  EXPECT_EQ(got.counts.rows, 4);
}

TEST(Txt, ALineOfFortyMebibytesIsARejectAndTheNextOneIsRead) {
  const TemporaryFolder folder;
  const std::string huge(std::size_t{40} << 20, 'x');
  const ReadRows got = read_rows(folder.write("a.txt", "a\n" + huge + "\nb\n"));
  EXPECT_THAT(got.lines, ElementsAre(1, 3));
  EXPECT_THAT(got.rejects, ElementsAre(Pair(2, "line_too_long")));
}

TEST(Txt, TheWholeFileIsOneDocumentByteForByteWithoutItsMark) {
  const Corpus corpus = whole("\xEF\xBB\xBFone\r\n\r\n\ttwo ");
  ASSERT_EQ(corpus.documents.size(), 1u);
  EXPECT_EQ(corpus.documents[0].text, "one\r\n\r\n\ttwo ");
  EXPECT_EQ(corpus.documents[0].line, 1);
}

TEST(Txt, AWholeFileThatIsNoTextNamesTheLine) {
  EXPECT_TRUE(refuses_txt("one\ntwo\nth\xffree\n", "a.txt:3: not valid UTF-8 at byte 10"));
  EXPECT_TRUE(refuses_txt(std::string("one\n\0", 5), "field \"text\": holds a NUL character"));
  EXPECT_TRUE(refuses_txt("", "file is empty"));
  EXPECT_TRUE(refuses_txt("\xEF\xBB\xBF", "file is empty"));
}

TEST(Txt, AWholeFileIsReadFromItsCompressedForm) {
  const TemporaryFolder folder;
  const std::string text(std::size_t{5} << 20, 'x');
  const auto path = folder.write("a.txt.gz", gzip_bytes(text));
  EXPECT_TRUE(read_corpus(path, {}, nullptr).documents.at(0).text == text);
}

TEST(Txt, AWholeFileAsksNowAndThenWhetherToGoOn) {
  const TemporaryFolder folder;
  int polls = 0;
  CorpusOptions options;
  options.poll = [&] { ++polls; };
  const auto path = folder.write("a.txt", std::string(std::size_t{40} << 20, 'x'));
  read_corpus(path, options, nullptr);
  EXPECT_GE(polls, 10);
}

}  // namespace
}  // namespace cupel

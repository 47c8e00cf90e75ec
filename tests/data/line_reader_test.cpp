#include "data/line_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

using Numbered = std::vector<std::pair<int64_t, std::string>>;

Numbered lines_of(const std::string& bytes) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  LineReader reader(folder.write("a.txt", bytes));
  Numbered lines;
  Line line;
  while (reader.next(line)) lines.emplace_back(line.number, line.text);
  return lines;
}

TEST(LineReader, CountsEveryLineAndTakesItsEndOff) {
  EXPECT_EQ(lines_of("a\nb\r\n\n\r\nc"),
            (Numbered{{1, "a"}, {2, "b"}, {3, ""}, {4, ""}, {5, "c"}}));
  EXPECT_EQ(lines_of("a\n"), (Numbered{{1, "a"}}));
  EXPECT_EQ(lines_of("\n"), (Numbered{{1, ""}}));
  EXPECT_EQ(lines_of("a\rb\n"), (Numbered{{1, "a\rb"}})) << "a lone return ends no line";
}

TEST(LineReader, KnowsWhereEveryLineBegins) {
  const TemporaryFolder folder;
  std::string text =
      "\xEF\xBB\xBF"
      "first\n" +
      std::string(kMaxRowBytes + 700'000, 'x') + "\n";
  for (int i = 0; i < 100'000; ++i) text += "line " + std::to_string(i) + (i % 2 ? "\r\n" : "\n");
  LineReader reader(folder.write("a.txt", text));
  Line line;
  while (reader.next(line))
    ASSERT_EQ(text.substr(static_cast<std::size_t>(line.offset), line.text.size()), line.text)
        << line.number;
  EXPECT_EQ(line.number, 100'002);
}

TEST(LineReader, SkipsAByteOrderMarkOnlyAtTheStart) {
  EXPECT_EQ(lines_of("\xEF\xBB\xBF"
                     "a\n\xEF\xBB\xBF"
                     "b"),
            (Numbered{{1, "a"},
                      {2,
                       "\xEF\xBB\xBF"
                       "b"}}));
  EXPECT_EQ(lines_of("\xEF\xBB"), (Numbered{{1, "\xEF\xBB"}})) << "half a mark is text";
  EXPECT_EQ(lines_of("\xEF\xBB\xBF"), Numbered{});
}

TEST(LineReader, KeepsNulAndBytesThatAreNoUtf8) {
  const std::string text("a\0b\xff", 4);
  EXPECT_EQ(lines_of(text + "\n"), (Numbered{{1, text}}));
}

TEST(LineReader, ALineOfTheLimitIsReadAndOneMoreByteIsTooLong) {
  const TemporaryFolder folder;
  const std::string most(kMaxRowBytes, 'x');
  LineReader reader(folder.write("a.txt", most + "\r\n" + most + "x\nend"));
  Line line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_FALSE(line.too_long);
  EXPECT_EQ(line.text.size(), kMaxRowBytes);
  ASSERT_TRUE(reader.next(line));
  EXPECT_TRUE(line.too_long);
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text, "end");
  EXPECT_EQ(line.number, 3);
}

TEST(LineReader, GoesOnAfterALineOfFortyMebibytes) {
  const TemporaryFolder folder;
  const std::string huge(std::size_t{40} << 20, 'x');
  LineReader reader(folder.write("a.txt", "first\n" + huge + "\nthird\n" + huge));
  Line line;
  std::vector<std::pair<int64_t, bool>> seen;
  while (reader.next(line)) {
    seen.emplace_back(line.number, line.too_long);
    EXPECT_TRUE(line.text.starts_with(line.too_long      ? "xxx"
                                      : line.number == 1 ? "first"
                                                         : "third"));
  }
  EXPECT_THAT(seen, testing::ElementsAre(std::pair(1, false), std::pair(2, true),
                                         std::pair(3, false), std::pair(4, true)));
}

TEST(LineReader, AFileThatDecompressesToNothingIsEmpty) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { LineReader reader(folder.write("a.txt.gz", gzip_bytes(""))); },
              throws_error(ErrorKind::data, "a.txt.gz: file is empty"));
}

}  // namespace
}  // namespace cupel

#include "data/byte_stream.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/rows.h"

namespace cupel {
namespace {

std::string read_to_end(const std::filesystem::path& path, std::size_t piece = 4096) {
  ByteStream stream(path);
  std::string out, buffer(piece, '\0');
  while (const std::size_t got = stream.read(buffer.data(), buffer.size())) {
    out.append(buffer, 0, got);
  }
  return out;
}

TEST(ByteStream, ReadsTheSameBytesWhateverTheCompressionAndThePieces) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string text = jsonl_rows(20000);
  const auto plain = folder.write("a.jsonl", text);
  const auto gzip = folder.write("a.jsonl.gz", gzip_bytes(text));
  const auto zstd = folder.write("a.jsonl.zst", zstd_bytes(text));
  for (const std::size_t piece : {7u, 65536u, 1u << 20}) {
    EXPECT_TRUE(read_to_end(plain, piece) == text) << piece;
    EXPECT_TRUE(read_to_end(gzip, piece) == text) << piece;
    EXPECT_TRUE(read_to_end(zstd, piece) == text) << piece;
  }
}

TEST(ByteStream, MembersAndFramesThatFollowEachOtherAreOneStream) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  EXPECT_EQ(
      read_to_end(folder.write("a.gz", gzip_bytes("one,") + gzip_bytes("") + gzip_bytes("two"))),
      "one,two");
  EXPECT_EQ(
      read_to_end(folder.write("a.zst", zstd_bytes("one,") + zstd_bytes("") + zstd_bytes("two"))),
      "one,two");
}

TEST(ByteStream, CompressionGoesByTheExtensionAlone) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string bytes = gzip_bytes("text");
  EXPECT_EQ(read_to_end(folder.write("a.txt", bytes)), bytes);
}

TEST(ByteStream, ACutAtAnyByteIsReportedAsTruncated) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string text = jsonl_rows(20);
  const std::string gzip = gzip_bytes(text), zstd = zstd_bytes(text);
  for (std::size_t cut = 1; cut < gzip.size(); ++cut) {
    const auto path = folder.write("a.gz", gzip.substr(0, cut));
    EXPECT_THAT([&] { read_to_end(path); },
                throws_error(ErrorKind::data, "truncated: the gzip stream breaks off at byte " +
                                                  std::to_string(cut)));
  }
  for (std::size_t cut = 1; cut < zstd.size(); ++cut) {
    const auto path = folder.write("a.zst", zstd.substr(0, cut));
    EXPECT_THAT([&] { read_to_end(path); },
                throws_error(ErrorKind::data, "truncated: the zstd stream breaks off at byte " +
                                                  std::to_string(cut)));
  }
}

TEST(ByteStream, ADamagedStreamIsAnErrorWithItsPlace) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  std::string gzip = gzip_bytes(jsonl_rows(20));
  gzip[gzip.size() - 6] ^= 1;  // of the checksum
  EXPECT_THAT([&] { read_to_end(folder.write("a.gz", gzip)); },
              throws_error(ErrorKind::data, "damaged gzip stream at byte "));
  EXPECT_THAT([&] { read_to_end(folder.write("b.gz", "no gzip at all")); },
              throws_error(ErrorKind::data, "incorrect header check"));
  EXPECT_THAT([&] { read_to_end(folder.write("b.zst", "no zstd at all")); },
              throws_error(ErrorKind::data, "damaged zstd stream at byte 0"));
  EXPECT_THAT([&] { read_to_end(folder.write("c.gz", gzip_bytes("a") + "rubbish")); },
              throws_error(ErrorKind::data, "damaged gzip stream"));
}

TEST(ByteStream, ABombIsRefusedAndASmallFileOfBlanksIsNot) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::string bomb(std::size_t{64} << 20, ' ');
  EXPECT_THAT([&] { read_to_end(folder.write("bomb.gz", gzip_bytes(bomb))); },
              throws_error(ErrorKind::data, "expands to more than 200 times its size"));
  EXPECT_THAT([&] { read_to_end(folder.write("bomb.zst", zstd_bytes(bomb))); },
              throws_error(ErrorKind::data, "expands to more than 200 times its size"));
  const std::string blanks(static_cast<std::size_t>(kFreeExpansionBytes), ' ');
  EXPECT_EQ(read_to_end(folder.write("a.gz", gzip_bytes(blanks))).size(), blanks.size());
}

TEST(ByteStream, AMissingFileAndAnEmptyOneAreDifferentErrors) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { ByteStream stream(folder / "none.gz"); },
              throws_error(ErrorKind::config, "none.gz: no such file"));
  EXPECT_THAT([&] { ByteStream stream(folder.write("empty.gz", "")); },
              throws_error(ErrorKind::data, "empty.gz: file is empty"));
}

}  // namespace
}  // namespace cupel

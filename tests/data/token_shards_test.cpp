#include "data/token_shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

/// Documents of `sizes` tokens: ids 0, 1, 2, … modulo the vocabulary; every third is not learned.
void write_counting(TokenShardWriter& writer, const std::vector<int>& sizes, int64_t vocabulary,
                    bool all_learned = false) {
  int64_t next = 0;
  for (const int size : sizes) {
    writer.begin_document();
    for (int i = 0; i < size; ++i, ++next) {
      const auto id = static_cast<int32_t>(next % vocabulary);
      const uint8_t learned = all_learned || next % 3 != 0 ? 1 : 0;
      writer.append({&id, 1}, {&learned, 1});
    }
  }
}

void expect_counting(const TokenShards& shards, int64_t vocabulary) {
  for (int64_t begin = 0; begin < shards.tokens(); ++begin) {
    for (int64_t count = 0; begin + count <= shards.tokens(); ++count) {
      std::vector<int32_t> ids(static_cast<std::size_t>(count));
      std::vector<uint8_t> learned(ids.size());
      shards.read_ids(begin, ids);
      shards.read_learned(begin, learned);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        const int64_t token = begin + static_cast<int64_t>(i);
        ASSERT_EQ(ids[i], token % vocabulary);
        ASSERT_EQ(learned[i], token % 3 != 0 ? 1 : 0);
      }
    }
  }
}

TEST(TokenShards, GiveBackWhatWasWrittenFromAnyPlaceAcrossShards) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  for (const int64_t vocabulary : {40, 70000}) {  // of two bytes and of four
    TokenShardWriter writer(folder.path(), "train", vocabulary, 8);
    write_counting(writer, {3, 5, 0, 17, 8, 1, 0}, vocabulary);
    EXPECT_EQ(writer.tokens(), 34);
    EXPECT_EQ(writer.documents(), 7);
    const TokenShards written = writer.finish();
    ASSERT_EQ(written.shards(), 5);
    expect_counting(written, vocabulary);
    const TokenShards opened = TokenShards::open(folder.path(), "train", 5);
    EXPECT_EQ(opened.vocab_size(), vocabulary);
    expect_counting(opened, vocabulary);
    std::vector<int64_t> begins;
    for (int64_t i = 0; i <= opened.documents(); ++i) begins.push_back(opened.document(i));
    EXPECT_THAT(begins, testing::ElementsAre(0, 3, 8, 8, 25, 33, 34, 34));
    std::vector<int64_t> of;
    for (const int64_t token : {0, 2, 3, 7, 8, 9, 16, 24, 25, 32, 33, 34})
      of.push_back(opened.document_of(token));
    EXPECT_THAT(of, testing::ElementsAre(0, 0, 1, 1, 3, 3, 3, 3, 4, 4, 5, 6));
  }
}

TEST(TokenShards, WithoutAFolderNothingIsLeftAndTheTokensAreThere) {
  TokenShardWriter writer({}, "train", 40, 8);
  write_counting(writer, {30}, 40);
  const TokenShards shards = writer.finish(), copy = shards;
  expect_counting(copy, 40);
}

TEST(TokenShards, AreEmptyWhereNothingWasWritten) {
  const TokenShards shards = TokenShardWriter({}, "train", 40).finish();
  EXPECT_EQ(shards.tokens(), 0);
  EXPECT_EQ(shards.documents(), 0);
  EXPECT_EQ(shards.document(0), 0);
  EXPECT_EQ(shards.document_of(0), -1);
}

TEST(TokenShards, ATokenTakesTwoBytesUpToAVocabularyOf65536AndABitOnlyWhereSomeAreNotLearned) {
  const auto bytes = [](int64_t vocabulary, bool all_learned) {
    const TemporaryFolder folder(TemporaryFolder::Place::memory);
    TokenShardWriter writer(folder.path(), "t", vocabulary);
    write_counting(writer, {800}, vocabulary, all_learned);
    writer.finish();
    return std::filesystem::file_size(folder / "t-00000.tokens");
  };
  EXPECT_EQ(bytes(65536, true), 128u + 1600 + 8);
  EXPECT_EQ(bytes(65537, true), 128u + 3200 + 8);
  EXPECT_EQ(bytes(65536, false), 128u + 1600 + 104 + 8);  // 800 bits, padded
}

/// A whole shard as bytes that may be changed.
std::vector<std::byte> shard_bytes() {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  TokenShardWriter writer(folder.path(), "t", 40);
  write_counting(writer, {9, 4, 7}, 40);
  writer.finish();
  const std::string text = read_file(folder / "t-00000.tokens");
  std::vector<std::byte> bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

TEST(TokenShards, AnyBitThatIsChangedIsFound) {
  std::vector<std::byte> bytes = shard_bytes();
  EXPECT_EQ(parse_token_shard(bytes, "t").tokens, 20);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (const int bit : {0, 7}) {
      bytes[at] ^= std::byte{1} << bit;
      EXPECT_THAT([&] { parse_token_shard(bytes, "t"); }, throws_error(ErrorKind::data, "t: "))
          << "byte " << at;
      bytes[at] ^= std::byte{1} << bit;
    }
  }
}

TEST(TokenShards, AFileCutShortIsRefusedAtEveryLength) {
  const std::vector<std::byte> bytes = shard_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT([&] { parse_token_shard(std::span(bytes).first(size), "t"); },
                throws_error(ErrorKind::data, size < 128 ? "is too short" : "it is cut short"));
  }
}

TEST(TokenShards, CountsThatNoFileCanHoldAreRefusedBeforeAnythingIsRead) {
  const std::vector<std::byte> good = shard_bytes();
  const auto with = [&](std::size_t at, uint64_t value) {
    std::vector<std::byte> bytes = good;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes;
  };
  for (std::size_t at = 16; at <= 56; at += 8) {  // vocabulary to has_bits
    const auto bytes = with(at, UINT64_MAX);
    EXPECT_THAT([&] { parse_token_shard(bytes, "t"); },
                throws_error(ErrorKind::data, "has a damaged header"));
  }
  const auto other = with(8, 2 | uint64_t{2} << 32);
  EXPECT_THAT([&] { parse_token_shard(other, "t"); },
              throws_error(ErrorKind::data, "is of version 2, and this program reads 1"));
  const auto foreign = with(0, 1);
  EXPECT_THAT([&] { parse_token_shard(foreign, "t"); },
              throws_error(ErrorKind::data, "is no shard of tokens"));
}

TEST(TokenShards, ShardsOfAnotherStreamDoNotGoTogether) {
  const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const auto write = [&](const std::string& name, int64_t vocabulary, int size) {
    TokenShardWriter writer(folder.path(), name, vocabulary, 8);
    write_counting(writer, {size}, vocabulary);
    writer.finish();
  };
  write("a", 40, 20);
  write("b", 41, 20);
  std::filesystem::rename(folder / "b-00001.tokens", folder / "a-00001.tokens");
  EXPECT_THAT([&] { TokenShards::open(folder.path(), "a", 3); },
              throws_error(ErrorKind::data, "a-00001.tokens: does not follow the shard before it"));
  write("c", 40, 20);
  std::filesystem::rename(folder / "c-00002.tokens", folder / "c-00001.tokens");
  EXPECT_THAT([&] { TokenShards::open(folder.path(), "c", 2); },
              throws_error(ErrorKind::data, "does not follow"));
  EXPECT_THAT([&] { TokenShards::open(folder.path(), "none", 1); },
              throws_error(ErrorKind::config, "no such file"));
}

}  // namespace
}  // namespace cupel

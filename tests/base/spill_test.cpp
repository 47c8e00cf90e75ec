#include "base/spill.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/parallel.h"
#include "support/errors.h"
#include "support/failing_calls.h"
#include "support/files.h"

namespace cupel {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::string read_block(const BlockStore& store, int64_t block, int64_t offset, std::size_t size) {
  std::string text(size, '?');
  store.read(block, offset, std::as_writable_bytes(std::span(text)));
  return text;
}

TEST(BlockStore, ReadsBackWhatLiesInMemoryAndWhatWasSpilled) {
  const TemporaryFolder folder;
  BlockStore store(8, folder.path());
  EXPECT_EQ(store.put(bytes_of("memory")), 0);
  EXPECT_EQ(store.spilled_bytes(), 0);
  EXPECT_EQ(store.put(bytes_of("beyond")), 1);
  EXPECT_EQ(store.put(bytes_of("it")), 2);
  EXPECT_EQ(store.put(bytes_of("")), 3);
  EXPECT_EQ(store.put(bytes_of("more")), 4);
  EXPECT_EQ(store.spilled_bytes(), 10);
  EXPECT_EQ(read_block(store, 0, 0, 6), "memory");
  EXPECT_EQ(read_block(store, 1, 0, 6), "beyond");
  EXPECT_EQ(read_block(store, 1, 2, 3), "yon");
  EXPECT_EQ(read_block(store, 2, 0, 2), "it");
  EXPECT_EQ(read_block(store, 3, 0, 0), "");
  EXPECT_EQ(read_block(store, 4, 1, 3), "ore");
}

TEST(BlockStore, LeavesNoNameInItsFolder) {
  const TemporaryFolder folder;
  BlockStore store(0, folder.path());
  store.put(bytes_of("spilled"));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(BlockStore, WithoutAFolderSpillsWhereTheSystemDoes) {
  BlockStore store(0, {});
  EXPECT_EQ(read_block(store, store.put(bytes_of("spilled")), 0, 7), "spilled");
  EXPECT_EQ(store.spilled_bytes(), 7);
}

TEST(BlockStore, TouchesNoDiskWhileMemoryLasts) {
  BlockStore store(100, "/no/such/folder");
  store.put(bytes_of(std::string(100, 'x')));
  EXPECT_EQ(read_block(store, 0, 99, 1), "x");
}

TEST(BlockStore, GivesMemoryOfADroppedBlockToLaterOnes) {
  BlockStore store(6, "/no/such/folder");
  store.put(bytes_of("first"));
  store.drop(0);
  store.drop(0);
  EXPECT_EQ(read_block(store, store.put(bytes_of("second")), 0, 6), "second");
  EXPECT_EQ(store.spilled_bytes(), 0);
}

TEST(BlockStore, SaysWhereATemporaryFileCannotBeMade) {
  BlockStore store(0, "/no/such/folder");
  EXPECT_THAT([&] { store.put(bytes_of("x")); },
              throws_error(ErrorKind::config, "/no/such/folder: cannot make a temporary file"));
}

TEST(BlockStore, SaysThatTheDiskIsFull) {
  const TemporaryFolder folder;
  BlockStore store(0, folder.path());
  const std::string block(2 << 20, 'x');  // more than waits in memory to be written
  const FailingCalls full(2, ENOSPC);
  EXPECT_THAT([&] { store.put(bytes_of(block)); },
              throws_error(ErrorKind::resource, "cannot write a temporary file"));
}

TEST(BlockStore, TakesBlocksFromSeveralThreads) {
  const TemporaryFolder folder;
  BlockStore store(100, folder.path());
  ThreadPool pool(4);
  pool.parallel_for(200, 1, [&](int64_t i, int64_t) {
    const std::string text = std::to_string(i);
    const int64_t block = store.put(bytes_of(text));
    EXPECT_EQ(read_block(store, block, 0, text.size()), text);
  });
  EXPECT_GT(store.spilled_bytes(), 0);
}

}  // namespace
}  // namespace cupel

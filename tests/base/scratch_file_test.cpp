#include "base/scratch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/parallel.h"
#include "support/errors.h"
#include "support/failing_calls.h"
#include "support/files.h"

namespace cupel {
namespace {

std::string read_at(const ScratchFile& file, int64_t at, std::size_t size) {
  std::string out(size, '?');
  file.read(at, out.data(), size);
  return out;
}

TEST(ScratchFile, GivesBackWhatWasAppendedWhetherOrNotItIsOnDiskYet) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  const std::string block(700'000, 'x');  // two of them pass the buffer
  EXPECT_EQ(file.append("gold"), 0);
  EXPECT_EQ(file.append(block), 4);
  EXPECT_EQ(file.append(block), 700'004);
  EXPECT_EQ(file.append("silver"), 1'400'004);
  EXPECT_EQ(file.size(), 1'400'010);
  EXPECT_EQ(read_at(file, 0, 5), "goldx");
  EXPECT_EQ(read_at(file, 1'400'002, 8), "xxsilver") << "from the disk and from memory";
  EXPECT_EQ(read_at(file, 1'400'006, 4), "lver");
}

TEST(ScratchFile, ChangesBytesOnDiskInMemoryAndAcross) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  file.append(std::string(1 << 20, 'a'));  // goes to disk
  file.append("silver");
  file.write(10, "gold");
  file.write((1 << 20) + 1, "IL");
  EXPECT_EQ(read_at(file, 9, 6), "agolda");
  EXPECT_EQ(read_at(file, 1 << 20, 6), "sILver");
  file.write((1 << 20) - 1, "XYZ");
  EXPECT_EQ(read_at(file, (1 << 20) - 2, 8), "aXYZLver");
}

TEST(ScratchFile, LeavesNoNameInItsFolder) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  file.append(std::string(2 << 20, 'a'));
  EXPECT_THAT(folder.names(), testing::IsEmpty());
}

TEST(ScratchFile, GoesOnAfterShortAndInterruptedWrites) {
  const TemporaryFolder folder;
  const std::string block = std::string(1 << 20, 'a') + "end";
  for (const auto how : {FailingCalls::How::shorter, FailingCalls::How::again}) {
    const FailingCalls calls(1, EINTR, how);
    ScratchFile file(folder.path());
    file.append("gold");
    file.append(block);
    EXPECT_EQ(read_at(file, 0, 5), "golda");
    EXPECT_EQ(read_at(file, (1 << 20) + 3, 4), "aend");
  }
}

TEST(ScratchFile, IsCopiedAndGoesOnFromACopy) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  const std::string block(3 << 19, 'x');
  file.append(block);
  file.append("silver");
  file.copy_to(folder / "copy");
  file.write(0, "gold");
  EXPECT_EQ(read_file(folder / "copy"), block + "silver") << "as it was";
  ScratchFile other(folder.path());
  other.append("is replaced");
  other.copy_from(folder / "copy", (3 << 19) + 3);
  EXPECT_EQ(other.size(), (3 << 19) + 3);
  other.append("ly");
  EXPECT_EQ(read_at(other, 3 << 19, 5), "silly");
  EXPECT_EQ(read_file(folder / "copy"), block + "silver") << "which stays as it is";
  EXPECT_THAT([&] { other.copy_from(folder / "copy", 1 << 22); },
              throws_error(ErrorKind::resource, "cannot read a temporary file"));
}

TEST(ScratchFile, UnderANameOutlivesItsProcessAndIsGoneOnFrom) {
  const TemporaryFolder folder;
  {
    ScratchFile file(folder.path());
    file.append("gold and silver");
    file.link_to(folder / "name");
    file.append(", lead");
  }
  ScratchFile other(folder.path());
  other.adopt(folder / "name", 15);
  other.append(" and tin");
  other.link_to(folder / "again");
  EXPECT_EQ(read_at(other, 9, 14), "silver and tin");
  EXPECT_EQ(read_file(folder / "again").substr(0, 23), "gold and silver and tin");
  EXPECT_EQ(std::filesystem::hard_link_count(folder / "name"), 2u) << "no second copy on disk";
}

TEST(ScratchFile, TakesBytesFromSeveralThreads) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  ThreadPool pool(4);
  pool.parallel_for(200, 1, [&](int64_t i, int64_t) {
    const std::string text(20'000, static_cast<char>('a' + i % 26));
    const int64_t at = file.append(text);
    EXPECT_EQ(read_at(file, at, text.size()), text);
  });
  EXPECT_EQ(file.size(), 4'000'000);
}

TEST(ScratchFile, NamesAFolderThatIsNotThere) {
  EXPECT_THAT([] { ScratchFile("/nowhere/at/all"); },
              throws_error(ErrorKind::config, "/nowhere/at/all: cannot make a temporary file"));
}

}  // namespace
}  // namespace cupel

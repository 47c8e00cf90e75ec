#include "base/scratch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

std::string read(const ScratchFile& file, int64_t at, std::size_t size) {
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
  EXPECT_EQ(read(file, 0, 5), "goldx");
  EXPECT_EQ(read(file, 1'400'002, 8), "xxsilver") << "from the disk and from memory";
  EXPECT_EQ(read(file, 1'400'006, 4), "lver");
}

TEST(ScratchFile, ChangesBytesOnDiskInMemoryAndAcross) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  file.append(std::string(1 << 20, 'a'));  // goes to disk
  file.append("silver");
  file.write(10, "gold");
  file.write((1 << 20) + 1, "IL");
  EXPECT_EQ(read(file, 9, 6), "agolda");
  EXPECT_EQ(read(file, 1 << 20, 6), "sILver");
  file.write((1 << 20) - 1, "XYZ");
  EXPECT_EQ(read(file, (1 << 20) - 2, 8), "aXYZLver");
}

TEST(ScratchFile, LeavesNoNameInItsFolder) {
  const TemporaryFolder folder;
  ScratchFile file(folder.path());
  file.append(std::string(2 << 20, 'a'));
  EXPECT_THAT(folder.names(), testing::IsEmpty());
}

TEST(ScratchFile, NamesAFolderThatIsNotThere) {
  EXPECT_THAT([] { ScratchFile("/nowhere/at/all"); },
              throws_error(ErrorKind::config, "/nowhere/at/all: cannot make a temporary file"));
}

}  // namespace
}  // namespace cupel

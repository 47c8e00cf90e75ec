#include "base/lock_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/atomic_file.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

TEST(LockFile, IsHeldOnceAndGoneAfterwards) {
  const TemporaryFolder folder;
  {
    const LockFile lock(folder / ".lock");
    EXPECT_THAT(
        [&] { const LockFile second(folder / ".lock"); },
        throws_exactly(ErrorKind::config,
                       folder.path().string() + ": in use by process " + std::to_string(getpid()) +
                           "; wait for it to end, or choose another folder with --out"));
    EXPECT_TRUE(read_file(folder / ".lock").starts_with(std::to_string(getpid()) + " "));
  }
  EXPECT_EQ(folder.names(), std::vector<std::string>{});
  EXPECT_NO_THROW(LockFile(folder / ".lock"));
}

TEST(LockFile, IsTakenOverFromADeadProcess) {
  const TemporaryFolder folder;
  folder.write(".lock", "999999999 1 some-older-boot\n");
  EXPECT_NO_THROW(LockFile(folder / ".lock"));
  folder.write(".lock", "not a lock at all");
  EXPECT_NO_THROW(LockFile(folder / ".lock"));
}

TEST(LockFile, LeavesTheLockOfWhoeverCameAfterItsOwnWasRemoved) {
  const TemporaryFolder folder;
  {
    const LockFile lock(folder / ".lock");
    EXPECT_TRUE(lock.is_in_place());
    std::filesystem::remove(folder / ".lock");
    EXPECT_FALSE(lock.is_in_place());
    folder.write(".lock", "another's");
  }
  EXPECT_EQ(read_file(folder / ".lock"), "another's");
}

TEST(LockFile, NeedsItsFolder) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { const LockFile lock(folder / "none/.lock"); },
              throws_error(ErrorKind::config, "cannot lock: No such file or directory"));
}

}  // namespace
}  // namespace cupel

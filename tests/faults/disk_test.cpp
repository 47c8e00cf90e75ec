#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/atomic_file.h"
#include "base/run.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

/// A disk of one mebibyte, where this process may mount one.
class SmallDisk {
 public:
  SmallDisk() {
    if (mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=1m") != 0) error_ = errno;
  }
  ~SmallDisk() {
    if (error_ == 0) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  std::string why_not() const { return error_ == 0 ? "" : std::strerror(error_); }
  const fs::path& path() const { return folder_.path(); }
  bool make_read_only() const {
    return mount("tmpfs", path().c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, "size=1m") == 0;
  }

 private:
  TemporaryFolder folder_;
  int error_ = 0;
};

#define SKIP_WITHOUT(disk) \
  if (!(disk).why_not().empty()) GTEST_SKIP() << "no small disk here: mount: " << (disk).why_not()

RunOptions disk_run(const fs::path& folder, bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.config = "a: 1\n";
  options.threads = 1;
  options.resume = resume;
  options.needed_bytes = 1;
  return options;
}

const std::string kHalf(std::size_t{512} << 10, 'h');
const std::string kTwice(std::size_t{2} << 20, 't');

TEST(FullDisk, LeavesTheOldFileAndSaysWhatToDo) {
  const SmallDisk disk;
  SKIP_WITHOUT(disk);
  write_file_atomically(disk.path() / "model", kHalf);
  EXPECT_THAT([&] { write_file_atomically(disk.path() / "model", kTwice); },
              throws_exactly(ErrorKind::resource,
                             (disk.path() / "model").string() +
                                 ": cannot write: No space left on device; free some space there, "
                                 "then continue with --resume"));
  EXPECT_TRUE(read_file(disk.path() / "model") == kHalf);
  EXPECT_GT(free_disk_bytes(disk.path()), 400 << 10) << "the half-written file is gone";
}

TEST(FullDisk, KeepsTheOldFolderAndTheRunGoesOnWhenThereIsSpaceAgain) {
  const SmallDisk disk;
  SKIP_WITHOUT(disk);
  const fs::path folder = disk.path() / "run";
  const auto save = [](cupel::Run& run, const std::string& bytes) {
    run.write_folder("checkpoint", [&](const fs::path& staging) {
      write_file_atomically(staging / "weights", bytes);
    });
  };
  {
    cupel::Run run(disk_run(folder));
    save(run, kHalf);
    EXPECT_THAT([&] { save(run, kTwice); },
                throws_error(ErrorKind::resource, "No space left on device"));
  }
  cupel::Run again(disk_run(folder, true));
  EXPECT_TRUE(read_file(folder / "checkpoint/weights") == kHalf);
  save(again, "small");
  EXPECT_EQ(read_file(folder / "checkpoint/weights"), "small");
}

TEST(FullDisk, ALogKeepsWholeLines) {
  const SmallDisk disk;
  SKIP_WITHOUT(disk);
  const std::string line = std::string(999, 'x') + "\n";
  {
    AppendFile log(disk.path() / "log");
    log.append(line);
    log.sync();
    const auto fill = [&] {
      for (int i = 0; i < 1100; ++i) log.append(line);
      log.sync();
    };
    EXPECT_THAT(fill, throws_error(ErrorKind::resource, "log: cannot write: No space left on"));
    log.append(line);
    log.sync();
  }
  EXPECT_TRUE(read_file(disk.path() / "log") == line + line);
}

TEST(FullDisk, ARunDoesNotBeginWithoutTheSpaceItNeeds) {
  const SmallDisk disk;
  SKIP_WITHOUT(disk);
  RunOptions options = disk_run(disk.path() / "run");
  options.needed_bytes = 8 << 20;
  EXPECT_THAT([&] { cupel::Run run(options); },
              throws_exactly(ErrorKind::resource,
                             (disk.path() / "run").string() +
                                 ": not enough space: 1 MiB free, 8 MiB needed; free some space "
                                 "there, or choose another place with --out"));
}

TEST(ReadOnlyDisk, IsNamedAsSuch) {
  const SmallDisk disk;
  SKIP_WITHOUT(disk);
  write_file_atomically(disk.path() / "a", "old");
  ASSERT_TRUE(disk.make_read_only());
  EXPECT_THAT([&] { write_file_atomically(disk.path() / "a", "new"); },
              throws_exactly(ErrorKind::resource,
                             (disk.path() / "a").string() +
                                 ": cannot write: Read-only file system; choose a writable place "
                                 "with --out"));
  EXPECT_EQ(read_file(disk.path() / "a"), "old");
  EXPECT_THAT([&] { cupel::Run run(disk_run(disk.path() / "run")); },
              throws_error(ErrorKind::resource, "run: cannot make the folder: Read-only file"));
}

/// No file may grow past `bytes`, as under `ulimit -f`; restored afterwards.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  sighandler_t handler_;
};

TEST(FileSizeLimit, LeavesTheOldFileAndNamesTheLimit) {
  const TemporaryFolder folder;
  folder.write("a", "old");
  const FileSizeLimit limit(1 << 20);
  EXPECT_THAT(
      [&] { write_file_atomically(folder / "a", kTwice); },
      throws_error(ErrorKind::resource,
                   "a: cannot write: File too large; raise the file size limit (ulimit -f)"));
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a"});
}

TEST(OpenFilesLimit, IsNamedAsSuch) {
  const TemporaryFolder folder;
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit none{3, before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  std::string text;
  try {
    write_file_atomically(folder / "a", "x");
  } catch (const Error& error) {
    text = error.what();
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(text, (folder / "a").string() +
                      ": cannot write: Too many open files; raise the limit of open files "
                      "(ulimit -n)");
}

}  // namespace
}  // namespace cupel

#include "data/input_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

TEST(InputFile, KnowsItsSizeAndReads) {
  const TemporaryFolder folder;
  InputFile first(folder.write("a", "12345"));
  const InputFile file(std::move(first));
  EXPECT_EQ(first.fd(), -1);
  EXPECT_EQ(file.size(), 5);
  char bytes[8];
  EXPECT_EQ(::read(file.fd(), bytes, sizeof bytes), 5);
}

TEST(InputFile, ClosesWhatItOpened) {
  const TemporaryFolder folder;
  const auto path = folder.write("a", "1");
  int fd = -1;
  {
    const InputFile file(path);
    fd = file.fd();
  }
  struct stat info {};
  EXPECT_NE(::fstat(fd, &info), 0);
}

TEST(InputFile, RefusesWhatIsNoFileWithoutWaiting) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { InputFile file(folder / "none"); },
              throws_error(ErrorKind::config, "none: no such file"));
  EXPECT_THAT([&] { InputFile file(folder.path()); },
              throws_error(ErrorKind::config, "is a folder; name one file"));
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT([&] { InputFile file(folder / "pipe"); },
              throws_error(ErrorKind::config, "is not a regular file"));
  EXPECT_THAT([&] { InputFile file("/dev/null"); },
              throws_error(ErrorKind::config, "is not a regular file"));
  EXPECT_THAT([&] { InputFile file(folder.write("empty", "")); },
              throws_error(ErrorKind::data, "empty: file is empty"));
  EXPECT_THAT([&] { InputFile file(folder / "empty" / "below"); },
              throws_error(ErrorKind::config, "cannot be opened: Not a directory"));
}

}  // namespace
}  // namespace cupel

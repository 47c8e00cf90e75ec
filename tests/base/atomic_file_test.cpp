#include "base/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

TEST(AtomicFile, ReplacesAFileAndLeavesNothingBeside) {
  const TemporaryFolder folder;
  folder.write("a", "old");
  write_file_atomically(folder / "a", "new");
  EXPECT_EQ(read_file(folder / "a"), "new");
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(AtomicFile, VanishesUncommitted) {
  const TemporaryFolder folder;
  folder.write("a", "old");
  {
    AtomicFile file(folder / "a");
    file.append(std::string(3 << 20, 'x'));
    EXPECT_EQ(read_file(folder / "a"), "old") << "not before commit";
  }
  EXPECT_EQ(read_file(folder / "a"), "old");
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(AtomicFile, WritesMoreThanItsBuffer) {
  const TemporaryFolder folder;
  std::string all;
  AtomicFile file(folder / "a");
  for (int i = 0; i < 300; ++i) {
    const std::size_t size = i == 150 ? 3 << 20 : 10007;
    const std::string part(size, static_cast<char>('a' + i % 26));
    file.append(part);
    all += part;
  }
  file.commit();
  EXPECT_EQ(sha256_file(folder / "a"), sha256(all));
}

TEST(AtomicFile, NewFilesFollowTheUmask) {
  const TemporaryFolder folder;
  const mode_t before = umask(027);
  write_file_atomically(folder / "a", "");
  umask(before);
  EXPECT_EQ(fs::status(folder / "a").permissions(), static_cast<fs::perms>(0640));
}

TEST(AtomicFile, APathThatCannotBeIsAConfigError) {
  const TemporaryFolder folder;
  folder.write("file", "");
  const std::string inside = (folder / "file/x").string();
  EXPECT_THAT([&] { write_file_atomically(inside, ""); },
              throws_exactly(ErrorKind::config,
                             inside + ": cannot write: Not a directory; check the path"));
  EXPECT_THAT([&] { write_file_atomically(folder / "none/x", ""); },
              throws_error(ErrorKind::config, "none/x: cannot write: No such file or directory"));
  EXPECT_THAT([&] { read_file(folder / "none"); },
              throws_error(ErrorKind::config, "none: cannot open: No such file or directory"));
  EXPECT_THAT([&] { read_file(folder.path()); },
              throws_error(ErrorKind::config, "cannot read: Is a directory"));
}

TEST(AtomicFile, ReadsNoMoreThanTheLimit) {
  const TemporaryFolder folder;
  folder.write("a", "12345");
  EXPECT_EQ(read_file(folder / "a", 5), "12345");
  EXPECT_THAT([&] { read_file(folder / "a", 4); },
              throws_error(ErrorKind::data, "larger than the limit of 4 bytes"));
  EXPECT_THAT([] { read_file("/dev/zero", 1 << 20); },
              throws_error(ErrorKind::data, "/dev/zero: larger than the limit"));
}

TEST(AtomicFolder, AppearsWholeOrNotAtAll) {
  const TemporaryFolder folder;
  write_folder_atomically(folder / "model", [&](const fs::path& staging) {
    EXPECT_FALSE(fs::exists(folder / "model"));
    write_file_atomically(staging / "a", "1");
    fs::create_directory(staging / "deep");
    write_file_atomically(staging / "deep" / "b", "2");
  });
  EXPECT_EQ(folder.names(), (Names{"model", "model/a", "model/deep", "model/deep/b"}));
}

TEST(AtomicFolder, ReplacesAnOlderOneAndKeepsItWhenFillingFails) {
  const TemporaryFolder folder;
  folder.write("model/old", "");
  const auto failing = [&] {
    write_folder_atomically(folder / "model", [](const fs::path& staging) {
      write_file_atomically(staging / "new", "");
      fail(ErrorKind::numeric, "step 3", "not finite");
    });
  };
  EXPECT_THAT(failing, throws_error(ErrorKind::numeric, "step 3"));
  EXPECT_EQ(folder.names(), (Names{"model", "model/old"}));
  write_folder_atomically(folder / "model", [](const fs::path& staging) {
    write_file_atomically(staging / "new", "");
  });
  EXPECT_EQ(folder.names(), (Names{"model", "model/new"}));
}

TEST(AtomicFolder, WhatAKilledProcessLeftIsRemoved) {
  const TemporaryFolder folder;
  folder.write(".staging-a-1-0", "");
  folder.write("deep/.staging-model-1-0/x", "");
  folder.write("deep/kept", "");
  remove_staging(folder.path());
  EXPECT_EQ(folder.names(), (Names{"deep", "deep/kept"}));
}

TEST(AppendFile, GoesOnWhereItWas) {
  const TemporaryFolder folder;
  AppendFile(folder / "log").append("a\n");
  AppendFile file(folder / "log");
  EXPECT_EQ(file.position(), 2);
  file.append("bc\n");
  EXPECT_EQ(file.position(), 5);
  EXPECT_EQ(read_file(folder / "log"), "a\n") << "not before a flush";
  file.sync();
  EXPECT_EQ(read_file(folder / "log"), "a\nbc\n");
}

TEST(AppendFile, IsCutBackToWholeLines) {
  const TemporaryFolder folder;
  folder.write("log", "one\ntwo\nthr");
  EXPECT_EQ(AppendFile(folder / "log").position(), 8) << "a torn line goes";
  EXPECT_EQ(AppendFile(folder / "log", 5).position(), 4);
  EXPECT_EQ(read_file(folder / "log"), "one\n");
  AppendFile file(folder / "log");
  file.append("four\n");
  file.cut(4);
  file.append("five\n");
  file.sync();
  EXPECT_EQ(read_file(folder / "log"), "one\nfive\n");
}

TEST(AppendFile, FindsTheLastLineBehindALongTornOne) {
  const TemporaryFolder folder;
  folder.write("log", "one\n" + std::string(20000, 'x'));
  EXPECT_EQ(AppendFile(folder / "log").position(), 4);
  folder.write("log", std::string(20000, 'x'));
  EXPECT_EQ(AppendFile(folder / "log").position(), 0);
}

TEST(AppendFile, BytesAreKeptAsTheyAreWhereLinesDoNotCount) {
  const TemporaryFolder folder;
  folder.write("log", "abcdef");
  EXPECT_EQ(AppendFile(folder / "log", 4, AppendFile::Unit::byte).position(), 4);
  EXPECT_EQ(read_file(folder / "log"), "abcd");
}

TEST(Disk, SaysWhatIsFreeWhereAPathWouldBe) {
  const TemporaryFolder folder;
  EXPECT_GT(free_disk_bytes(folder / "not/yet/there"), 0);
  EXPECT_NO_THROW(require_free_disk(folder.path(), 1));
  EXPECT_THAT([&] { require_free_disk(folder.path(), INT64_MAX); },
              throws_error(ErrorKind::resource, "not enough space: "));
}

// FIPS 180-2, appendix B.1.
TEST(Sha256, HasItsPublishedValue) {
  const TemporaryFolder folder;
  const char* expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(sha256("abc"), expected);
  EXPECT_EQ(sha256_file(folder.write("a", "abc")), expected);
}

}  // namespace
}  // namespace cupel

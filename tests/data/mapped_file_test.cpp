#include "data/mapped_file.h"

#include <gtest/gtest.h>

#include <string_view>

#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

std::string_view text_of(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

TEST(MappedFile, HoldsTheBytesOfTheFileEvenOnceItIsGone) {
  const TemporaryFolder folder;
  const auto path = folder.write("a", std::string("a\0b", 3));
  const MappedFile file(path);
  std::filesystem::remove(path);
  EXPECT_EQ(text_of(file), std::string_view("a\0b", 3));
}

TEST(MappedFile, MovesWithoutCopying) {
  const TemporaryFolder folder;
  MappedFile first(folder.write("a", "first"));
  const std::byte* place = first.bytes().data();
  MappedFile second(std::move(first));
  EXPECT_TRUE(first.bytes().empty());
  EXPECT_EQ(second.bytes().data(), place);
  MappedFile third(folder.write("b", "third"));
  third = std::move(second);
  EXPECT_EQ(text_of(third), "first");
  EXPECT_TRUE(MappedFile().bytes().empty());
}

TEST(MappedFile, OfATemporaryFileHoldsWhatWasAppendedAndReadsItAgainOnceGivenBack) {
  const std::string text(100000, 'x');
  MappedFile file;
  {
    ScratchFile scratch({});
    EXPECT_TRUE(MappedFile(scratch).bytes().empty());
    scratch.append(text);
    file = MappedFile(scratch);
  }
  EXPECT_EQ(text_of(file), text);
  file.release(file.bytes().subspan(5, 90000));
  EXPECT_EQ(text_of(file), text);
}

TEST(MappedFile, RefusesWhatCannotBeMapped) {
  const TemporaryFolder folder;
  EXPECT_THAT([&] { MappedFile file(folder / "none"); },
              throws_error(ErrorKind::config, "no such file"));
  EXPECT_THAT([&] { MappedFile file(folder.path()); },
              throws_error(ErrorKind::config, "is a folder"));
  EXPECT_THAT([&] { MappedFile file(folder.write("empty", "")); },
              throws_error(ErrorKind::data, "file is empty"));
}

}  // namespace
}  // namespace cupel

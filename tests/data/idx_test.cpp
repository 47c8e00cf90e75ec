#include "data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel {
namespace {

using testing::ElementsAre;

std::string header(std::vector<uint32_t> shape, char type = 8) {
  std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const uint32_t size : shape)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes;
}

class Idx : public testing::Test {
 protected:
  void refuses(const std::string& bytes, const std::string& why) {
    const auto path = folder_.write("a-idx", bytes);
    EXPECT_THAT([&] { read_idx(path); }, throws_error(ErrorKind::data, why));
  }
  TemporaryFolder folder_{TemporaryFolder::Place::memory};
};

TEST_F(Idx, HasTheShapeAndTheBytesOfTheFile) {
  const std::string bytes = header({2, 1, 3}) + "abcdef";
  for (const auto& path :
       {folder_.write("plain", bytes), folder_.write("packed.gz", gzip_bytes(bytes))}) {
    const IdxArray array = read_idx(path);
    EXPECT_THAT(array.shape, ElementsAre(2, 1, 3));
    EXPECT_EQ(std::string(array.values.begin(), array.values.end()), "abcdef");
  }
}

TEST_F(Idx, OtherBytesAreRefusedWithWhatIsWrong) {
  refuses("hello", "is no idx file");
  refuses(header({2}, 13) + "12345678", "elements of type 13");
  refuses(header({}), "has 0 dimensions");
  refuses(header({1, 1, 1, 1, 1}) + "a", "has 5 dimensions");
  refuses(header({3, 2}).substr(0, 10), "ends within its header");
  refuses(header({3, 0}), "dimension 1 is 0");
  refuses(header({3}) + "ab", "ends after 2 of the 3 values");
  refuses(header({3}) + "abcd", "goes on after the 3 values");
}

TEST_F(Idx, AHeaderThatLiesCostsNoMemory) {
  refuses(header({65536, 65536}) + "a", "dimension 1 is 65536");
  refuses(header({32768, 65536}) + "a", "ends after 1 of the 2147483648");
}

TEST_F(Idx, ImagesAndLabelsMustBelongTogether) {
  const auto images = folder_.write("images", header({2, 2, 1}) + "abcd");
  const auto labels = folder_.write("labels", header({2}) + std::string("\1\0", 2));
  const auto others = folder_.write("others", header({3}) + "abc");
  const LabelledImages both = read_labelled_images(images, labels);
  EXPECT_EQ(both.height, 2);
  EXPECT_EQ(both.width, 1);
  EXPECT_THAT(both.labels, ElementsAre(1, 0));
  EXPECT_THAT([&] { read_labelled_images(images, others); },
              throws_error(ErrorKind::data, "one label for each of the 2 images"));
  EXPECT_THAT([&] { read_labelled_images(labels, images); },
              throws_error(ErrorKind::data, "has 1 dimensions, images have 3"));
}

}  // namespace
}  // namespace cupel

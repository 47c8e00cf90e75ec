#include "data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/compress.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/idx_bytes.h"

namespace cupel {
namespace {

using testing::ElementsAre;

class Idx : public testing::Test {
 protected:
  auto reading(const std::string& bytes) {
    return [path = folder_.write("a-idx", bytes)] { read_idx(path); };
  }
  TemporaryFolder folder_{TemporaryFolder::Place::memory};
};

TEST_F(Idx, HasTheShapeAndTheBytesOfTheFile) {
  const std::string bytes = idx_header({2, 1, 3}) + "abcdef";
  for (const auto& path :
       {folder_.write("plain", bytes), folder_.write("packed.gz", gzip_bytes(bytes))}) {
    const IdxArray array = read_idx(path);
    EXPECT_THAT(array.shape, ElementsAre(2, 1, 3));
    EXPECT_EQ(std::string(array.values.begin(), array.values.end()), "abcdef");
  }
}

TEST_F(Idx, OtherBytesAreRefusedWithWhatIsWrong) {
  EXPECT_THAT(reading("hello"), throws_error(ErrorKind::data, "is no idx file"));
  EXPECT_THAT(reading(idx_header({2}, 13) + "12345678"),
              throws_error(ErrorKind::data, "elements of type 13"));
  EXPECT_THAT(reading(idx_header({})), throws_error(ErrorKind::data, "has 0 dimensions"));
  EXPECT_THAT(reading(idx_header({1, 1, 1, 1, 1}) + "a"),
              throws_error(ErrorKind::data, "has 5 dimensions"));
  EXPECT_THAT(reading(idx_header({3, 2}).substr(0, 10)),
              throws_error(ErrorKind::data, "ends within its header"));
  EXPECT_THAT(reading(idx_header({3, 0})), throws_error(ErrorKind::data, "dimension 1 is 0"));
  EXPECT_THAT(reading(idx_header({3}) + "ab"),
              throws_error(ErrorKind::data, "ends after 2 of the 3 values"));
  EXPECT_THAT(reading(idx_header({3}) + "abcd"),
              throws_error(ErrorKind::data, "goes on after the 3 values"));
}

TEST_F(Idx, AHeaderThatLiesCostsNoMemory) {
  EXPECT_THAT(reading(idx_header({65536, 65536}) + "a"),
              throws_error(ErrorKind::data, "dimension 1 is 65536"));
  EXPECT_THAT(reading(idx_header({32768, 65536}) + "a"),
              throws_error(ErrorKind::data, "ends after 1 of the 2147483648"));
}

TEST_F(Idx, ImagesAndLabelsMustBelongTogether) {
  const auto images = folder_.write("images", idx_header({2, 2, 1}) + "abcd");
  const auto labels = folder_.write("labels", idx_header({2}) + std::string("\1\0", 2));
  const auto others = folder_.write("others", idx_header({3}) + "abc");
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

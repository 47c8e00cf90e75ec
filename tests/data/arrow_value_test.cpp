#include "data/arrow_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace cupel {
namespace {

/// A column made by hand: what a file may hold is compared with pyarrow in parquet_test.cpp.
struct ArrowColumn {
  ArrowSchema schema{};
  ArrowArray array{};
  std::vector<const void*> buffers;

  ArrowColumn(const char* format, std::vector<const void*> data, int64_t length)
      : buffers(std::move(data)) {
    schema.format = format;
    schema.name = "c";
    array.length = length;
    array.buffers = buffers.data();
    array.n_buffers = static_cast<int64_t>(buffers.size());
  }
  json::Value operator[](int64_t row) const { return arrow_value(schema, array, row); }
};

TEST(ArrowValue, AnArrayMayStartInTheMiddleOfItsBuffers) {
  const std::array<int32_t, 4> numbers{1, 2, 3, 4};
  const uint8_t valid = 0b1011;
  ArrowColumn column("i", {&valid, numbers.data()}, 2);
  column.array.null_count = -1;
  column.array.offset = 1;
  EXPECT_EQ(column[0], json::Value(2));
  EXPECT_EQ(column[1], json::Value());
  EXPECT_EQ(column[2], json::Value(4));
}

TEST(ArrowValue, NullsAreThoseOfTheBitmapAlone) {
  const int64_t number = 7;
  EXPECT_EQ(ArrowColumn("l", {nullptr, &number}, 1)[0], json::Value(7));
  EXPECT_EQ(ArrowColumn("n", {}, 1)[0], json::Value());
}

TEST(ArrowValue, DecimalsKeepAllTheirDigits) {
  const auto text = [](const char* format, std::array<int64_t, 2> words) {
    return ArrowColumn(format, {nullptr, words.data()}, 1)[0].as_string("decimal");
  };
  EXPECT_EQ(text("d:38,2", {12345, 0}), "123.45");
  EXPECT_EQ(text("d:38,2", {-5, -1}), "-0.05");
  EXPECT_EQ(text("d:38,0", {0, 0}), "0");
  EXPECT_EQ(text("d:38,-2", {7, 0}), "700");
  EXPECT_EQ(text("d:38,0", {0, 1}), "18446744073709551616");
  EXPECT_EQ(text("d:18,4,64", {123456, 0}), "12.3456");
}

TEST(ArrowValue, PointsInTimeBefore1970CountBackwards) {
  const std::array<int64_t, 3> seconds{-1, -86'400, -86'401};
  const ArrowColumn column("tss:", {nullptr, seconds.data()}, 3);
  EXPECT_EQ(column[0], json::Value("1969-12-31T23:59:59"));
  EXPECT_EQ(column[1], json::Value("1969-12-31T00:00:00"));
  EXPECT_EQ(column[2], json::Value("1969-12-30T23:59:59"));
}

TEST(ArrowValue, ATypeWithoutAFormInJsonIsFoundWhereverItStands) {
  ArrowColumn image("z", {}, 0);
  EXPECT_EQ(unreadable_column(image.schema), "column \"c\": binary");
  ArrowColumn list("+l", {}, 0);
  std::array<ArrowSchema*, 1> children{&image.schema};
  list.schema.n_children = 1;
  list.schema.children = children.data();
  EXPECT_EQ(unreadable_column(list.schema), "column \"c\": binary");
  EXPECT_EQ(unreadable_column(ArrowColumn("+ud:0", {}, 0).schema),
            "column \"c\": Arrow type \"+ud:0\"");
  EXPECT_EQ(unreadable_column(ArrowColumn("U", {}, 0).schema), "");
}

}  // namespace
}  // namespace cupel

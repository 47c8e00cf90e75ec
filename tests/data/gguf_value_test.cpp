#include "data/gguf_value.h"

#include <gtest/gtest.h>

#include "data/gguf.h"
#include "support/errors.h"

namespace cupel {
namespace {

Gguf fixture() {
  return Gguf::open(std::filesystem::path(CUPEL_SOURCE_DIR) /
                    "tests/fixtures/gguf_files/types.gguf");
}

TEST(GgufValue, ReadsEveryKindThatThePythonPackageWrites) {
  const Gguf file = fixture();
  EXPECT_EQ(file.at("kinds.uint8").as_int(""), 200);
  EXPECT_EQ(file.at("kinds.int8").as_int(""), -100);
  EXPECT_EQ(file.at("kinds.uint16").as_int(""), 60000);
  EXPECT_EQ(file.at("kinds.int16").as_int(""), -30000);
  EXPECT_EQ(file.at("kinds.uint32").as_int(""), 4000000000);
  EXPECT_EQ(file.at("kinds.int32").as_int(""), -2000000000);
  EXPECT_EQ(file.at("kinds.int64").as_int(""), -(int64_t{1} << 62));
  EXPECT_EQ(file.at("kinds.uint64").as_double(""), 9223372036854775808.0);
  EXPECT_EQ(file.at("kinds.float32").as_double(""), 1e-5);
  EXPECT_EQ(file.at("kinds.float64").as_double(""), 0.1);
  EXPECT_EQ(file.at("kinds.int8").as_double(""), -100.0);
  EXPECT_TRUE(file.at("kinds.bool").as_bool(""));
  EXPECT_EQ(file.at("kinds.text").as_text(""), "größer");
  EXPECT_EQ(file.at("kinds.texts").as_texts(""), (std::vector<std::string_view>{"a", "", "中文"}));
  EXPECT_EQ(file.at("kinds.ints").as_ints(""), (std::vector<int64_t>{1, -2, 3}));
  EXPECT_EQ(file.at("kinds.ints").as_doubles(""), (std::vector<double>{1, -2, 3}));
  EXPECT_EQ(file.at("kinds.floats").as_doubles(""), (std::vector<double>{0.5, -0.25}));
}

TEST(GgufValue, RefusesAnotherKindThanAskedForAndSaysWhatItIs) {
  const Gguf file = fixture();
  EXPECT_THAT([&] { file.at("kinds.text").as_int("here"); },
              throws_error(ErrorKind::data, "here: is \"größer\", not an integer"));
  EXPECT_THAT([&] { file.at("kinds.uint64").as_int("here"); },
              throws_error(ErrorKind::data, "here: is 9223372036854775809, not an integer"));
  EXPECT_THAT([&] { file.at("kinds.float32").as_int("here"); },
              throws_error(ErrorKind::data, "here: is 1e-05, not an integer"));
  EXPECT_THAT([&] { file.at("kinds.texts").as_ints("here"); },
              throws_error(ErrorKind::data, "here: is [3 x text], not an array of integers"));
  EXPECT_THAT([&] { file.at("kinds.ints").as_texts("here"); },
              throws_error(ErrorKind::data, "here: is [3 x int32], not an array of texts"));
  EXPECT_THAT([&] { file.at("kinds.bool").as_double("here"); },
              throws_error(ErrorKind::data, "here: is true, not a finite number"));
  EXPECT_THAT([&] { file.at("kinds.uint8").as_bool("here"); },
              throws_error(ErrorKind::data, "here: is 200, not a bool"));
  EXPECT_THAT([&] { file.at("kinds.uint8").as_text("here"); },
              throws_error(ErrorKind::data, "here: is 200, not text"));
  EXPECT_THAT([&] { file.at("kinds.uint8").as_doubles("here"); },
              throws_error(ErrorKind::data, "here: is 200, not an array of numbers"));
}

TEST(GgufValue, KnowsTheSizeOfEveryKind) {
  EXPECT_EQ(gguf_kind_bytes(GgufKind::boolean), 1u);
  EXPECT_EQ(gguf_kind_bytes(GgufKind::i16), 2u);
  EXPECT_EQ(gguf_kind_bytes(GgufKind::f32), 4u);
  EXPECT_EQ(gguf_kind_bytes(GgufKind::u64), 8u);
  EXPECT_EQ(gguf_kind_bytes(GgufKind::text), 0u);
  EXPECT_EQ(gguf_kind_bytes(GgufKind::array), 0u);
}

}  // namespace
}  // namespace cupel

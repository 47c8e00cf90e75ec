#include "nn/llm/tensor_source.h"

#include <gtest/gtest.h>

#include <cmath>

#include "data/safetensors.h"
#include "support/errors.h"
#include "support/files.h"

namespace cupel::llm {
namespace {

/// A tensor to write, with its bytes.
struct Made {
  std::string name;
  Dtype dtype;
  std::vector<int64_t> shape;
  std::vector<float> numbers{};
  std::string bytes{};
};

TensorSource written(const TemporaryFolder& folder, const std::vector<Made>& all) {
  std::vector<TensorEntry> entries;
  for (const Made& made : all) {
    const bool raw = made.numbers.empty();
    entries.push_back({made.name, made.dtype, made.shape,
                       raw ? reinterpret_cast<const std::byte*>(made.bytes.data())
                           : reinterpret_cast<const std::byte*>(made.numbers.data()),
                       static_cast<int64_t>(raw ? made.bytes.size() : 4 * made.numbers.size())});
  }
  write_safetensors(folder / "model.safetensors", entries);
  return safetensors_source(folder.path());
}

std::vector<float> numbers_of(const SourceTensor& tensor) {
  const Extent extent = extent_of(tensor.shape);
  std::vector<float> numbers(static_cast<std::size_t>(extent.rows * extent.width));
  // Row by row, so that a mistake in the first row's place shows.
  for (int64_t row = 0; row < extent.rows; ++row)
    tensor.read(row, row + 1, numbers.data() + row * extent.width);
  return numbers;
}

using Numbers = std::vector<float>;

TEST(TensorSource, ReadsEveryFloatingPointFormat) {
  const TemporaryFolder folder;
  const double doubles[] = {1.5, -0.1};
  const TensorSource source = written(
      folder,
      {{"a", Dtype::f32, {2, 1}, {1.5f, -2}},
       {"b", Dtype::f16, {2}, {}, std::string("\x00\x3C\x00\xC0", 4)},
       {"c", Dtype::bf16, {1, 2}, {}, std::string("\x80\x3F\x00\xC0", 4)},
       {"d", Dtype::f64, {2}, {}, std::string(reinterpret_cast<const char*>(doubles), 16)}});
  EXPECT_EQ(numbers_of(*source.find("a")), (Numbers{1.5f, -2}));
  EXPECT_EQ(numbers_of(*source.find("b")), (Numbers{1, -2}));
  EXPECT_EQ(numbers_of(*source.find("c")), (Numbers{1, -2}));
  EXPECT_EQ(numbers_of(*source.find("d")), (Numbers{1.5f, -0.1f}));
  EXPECT_EQ(source.find("e"), nullptr);
}

TEST(TensorSource, SaysWhichFormatItDoesNotRead) {
  const TemporaryFolder folder;
  const TensorSource source = written(folder, {{"a", Dtype::i32, {1}, {0}}});
  EXPECT_EQ(source.find("a")->problem, "I32, known: F32, F16, BF16, F64, F8_E4M3");
}

TEST(TensorSource, ScalesBlocksOf128By128OfEightBitNumbers) {
  // 130 x 129 numbers: 2 x 2 blocks, of which three are cut short. Code 0x38 is 1, 0xC0 is -2.
  std::string codes(130 * 129, '\x38');
  codes[0] = '\xC0';
  codes[129 * 129 + 128] = '\x01';  // the smallest subnormal, 2^-9
  const TemporaryFolder folder;
  const TensorSource source =
      written(folder, {{"w.weight", Dtype::f8_e4m3, {130, 129}, {}, codes},
                       {"w.weight_scale_inv", Dtype::f32, {2, 2}, {3, 5, 7, 512}}});
  ASSERT_EQ(source.tensors.size(), 1u);
  const Numbers numbers = numbers_of(*source.find("w.weight"));
  EXPECT_EQ(numbers[0], -6);
  EXPECT_EQ(numbers[127], 3);
  EXPECT_EQ(numbers[128], 5);
  EXPECT_EQ(numbers[127 * 129], 3);
  EXPECT_EQ(numbers[128 * 129], 7);
  EXPECT_EQ(numbers[128 * 129 + 128], 512);
  EXPECT_EQ(numbers[129 * 129 + 128], 1);
}

TEST(TensorSource, KnowsEveryEightBitNumber) {
  // The largest is 448, all ones is no number, and below exponent 1 the steps are even.
  const TemporaryFolder folder;
  std::string codes;
  for (int code = 0; code < 256; ++code) codes.push_back(static_cast<char>(code));
  const TensorSource source = written(folder, {{"w", Dtype::f8_e4m3, {1, 256}, {}, codes},
                                               {"w_scale_inv", Dtype::f32, {1, 2}, {1, 1}}});
  const Numbers numbers = numbers_of(*source.find("w"));
  EXPECT_EQ(numbers[0x7E], 448);
  EXPECT_TRUE(std::isnan(numbers[0x7F]) && std::isnan(numbers[0xFF]));
  for (std::size_t code = 0; code < 0x7F; ++code) {
    EXPECT_EQ(numbers[code + 128], -numbers[code]) << code;
    if (code > 0) {
      EXPECT_GT(numbers[code], numbers[code - 1]) << code;
    }
    if (code < 16) {
      EXPECT_EQ(numbers[code], static_cast<float>(code) / 512) << code;
    }
  }
}

TEST(TensorSource, DoesNotReadEightBitNumbersWithoutTheirScales) {
  const TemporaryFolder folder;
  const TensorSource source = written(folder, {{"a", Dtype::f8_e4m3, {1, 4}, {}, "abcd"},
                                               {"b", Dtype::f8_e4m3, {1, 4}, {}, "abcd"},
                                               {"b_scale_inv", Dtype::f32, {1, 2}, {1, 1}}});
  EXPECT_EQ(source.find("a")->problem,
            "F8_E4M3 without F32 factors of its 128 x 128 blocks in a_scale_inv");
  EXPECT_NE(source.find("b")->problem, "");
}

TEST(TensorSource, TakesFusedExpertsApart) {
  const TemporaryFolder folder;
  Numbers gate_up(2 * 4 * 3), down(2 * 3 * 2);
  for (std::size_t i = 0; i < gate_up.size(); ++i) gate_up[i] = static_cast<float>(i);
  for (std::size_t i = 0; i < down.size(); ++i) down[i] = static_cast<float>(100 + i);
  const TensorSource source =
      written(folder, {{"l.mlp.experts.gate_up_proj", Dtype::f32, {2, 4, 3}, gate_up},
                       {"l.mlp.experts.down_proj", Dtype::f32, {2, 3, 2}, down}});
  ASSERT_EQ(source.tensors.size(), 6u);
  EXPECT_EQ(source.find("l.mlp.experts.1.gate_proj.weight")->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(numbers_of(*source.find("l.mlp.experts.0.gate_proj.weight")),
            (Numbers{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(numbers_of(*source.find("l.mlp.experts.1.up_proj.weight")),
            (Numbers{18, 19, 20, 21, 22, 23}));
  EXPECT_EQ(numbers_of(*source.find("l.mlp.experts.1.down_proj.weight")),
            (Numbers{106, 107, 108, 109, 110, 111}));
}

TEST(TensorSource, RefusesExpertsThatAreThereTwice) {
  const TemporaryFolder folder;
  EXPECT_THAT(
      [&] {
        written(folder, {{"l.mlp.experts.down_proj", Dtype::f32, {1, 1, 1}, {1}},
                         {"l.mlp.experts.0.down_proj.weight", Dtype::f32, {1, 1}, {1}}});
      },
      throws_error(ErrorKind::data, "holds l.mlp.experts.0.down_proj.weight twice"));
}

TEST(TensorSource, LeavesATensorWithoutNumbersAlone) {
  const TemporaryFolder folder;
  const TensorSource source =
      written(folder, {{"l.experts.down_proj", Dtype::f32, {int64_t{1} << 50, 0, 1}, {}, ""}});
  ASSERT_EQ(source.tensors.size(), 1u);
  EXPECT_EQ(source.tensors[0].name, "l.experts.down_proj");
}

}  // namespace
}  // namespace cupel::llm

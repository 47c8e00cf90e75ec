#include "data/gguf_types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "data/gguf.h"
#include "data/safetensors.h"

namespace cupel {
namespace {

const std::filesystem::path kFolder =
    std::filesystem::path(CUPEL_SOURCE_DIR) / "tests/fixtures/gguf_files";

TEST(GgufTypes, GiveBitForBitWhatThePythonPackageReads) {
  const Gguf file = Gguf::open(kFolder / "types.gguf");
  const Safetensors expected = Safetensors::open(kFolder / "types.safetensors");
  ASSERT_EQ(file.contents().tensors.size(), 12u);
  for (const GgufTensor& tensor : file.contents().tensors) {
    const TensorEntry* want = expected.find(tensor.name);
    ASSERT_NE(want, nullptr) << tensor.name;
    ASSERT_EQ(tensor.shape, want->shape) << tensor.name;
    std::vector<float> got(static_cast<std::size_t>(tensor.count));
    dequantise(tensor.type, tensor.data, tensor.count, got.data());
    EXPECT_EQ(std::memcmp(got.data(), want->data, got.size() * sizeof(float)), 0) << tensor.name;
  }
}

TEST(GgufTypes, DequantiseAnyPartOfARowInWholeBlocks) {
  const Gguf file = Gguf::open(kFolder / "types.gguf");
  for (const GgufTensor& tensor : file.contents().tensors) {
    const GgufBlock& block = gguf_block(tensor.type);
    std::vector<float> all(static_cast<std::size_t>(tensor.count)), part(256);
    dequantise(tensor.type, tensor.data, tensor.count, all.data());
    dequantise(tensor.type, tensor.data + 256 / block.items * block.bytes, 256, part.data());
    EXPECT_EQ(std::memcmp(part.data(), all.data() + 256, 256 * sizeof(float)), 0) << tensor.name;
  }
}

TEST(GgufTypes, ConvertEveryHalfExactly) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
    const double sign = bits >> 15 ? -1 : 1;
    const float got = from_f16(static_cast<uint16_t>(bits));
    EXPECT_EQ(std::signbit(got), bits >> 15 == 1) << bits;
    if (exponent == 31) {
      EXPECT_TRUE(fraction != 0 ? std::isnan(got) : std::isinf(got)) << bits;
    } else if (exponent == 0) {
      EXPECT_EQ(got, sign * std::ldexp(fraction, -24)) << bits;
    } else {
      EXPECT_EQ(got, sign * std::ldexp(1024 + fraction, static_cast<int>(exponent) - 25)) << bits;
    }
  }
}

TEST(GgufTypes, NameEveryFormatOfGgml) {
  EXPECT_EQ(gguf_type_name(23), "IQ4_XS");
  EXPECT_EQ(gguf_type_name(4), "number 4");
  EXPECT_EQ(gguf_type_name(1000), "number 1000");
  EXPECT_FALSE(find_gguf_type(23));
  EXPECT_EQ(known_gguf_types(),
            "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, IQ4_NL, Q4_K, Q5_K, Q6_K");
  for (const uint32_t number : {0u, 1u, 2u, 3u, 6u, 7u, 8u, 12u, 13u, 14u, 20u, 30u}) {
    ASSERT_TRUE(find_gguf_type(number)) << number;
    EXPECT_EQ(gguf_block(*find_gguf_type(number)).name, gguf_type_name(number));
  }
}

}  // namespace
}  // namespace cupel

#include "data/gguf_encode.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace cupel {
namespace {

TEST(GgufEncode, GivesEveryF16BackItself) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<uint16_t>(bits);
    const float value = from_f16(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(from_f16(to_f16(value)))) << bits;
    } else {
      ASSERT_EQ(to_f16(value), half) << bits;
    }
  }
}

TEST(GgufEncode, RoundsToTheNearestF16AndTiesToEven) {
  // Between each two neighbours: the middle goes to the even one, its neighbours to theirs.
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    const float low = from_f16(static_cast<uint16_t>(bits)),
                high = from_f16(static_cast<uint16_t>(bits + 1));
    const float middle = (low + high) / 2;
    ASSERT_EQ(to_f16(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(to_f16(std::nextafter(middle, low)), bits) << bits;
    ASSERT_EQ(to_f16(-std::nextafter(middle, high)), (bits + 1) | 0x8000) << bits;
  }
  EXPECT_EQ(to_f16(65519.996F), 0x7BFF);
  EXPECT_EQ(to_f16(65520), 0x7C00);
  EXPECT_EQ(to_f16(1e30F), 0x7C00);
  EXPECT_EQ(to_f16(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(to_f16(1e-30F), 0);
}

TEST(GgufEncode, RoundsToTheNearestBf16AndTiesToEven) {
  EXPECT_EQ(to_bf16(1), 0x3F80);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F80'8000)), 0x3F80);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F80'8001)), 0x3F81);
  EXPECT_EQ(to_bf16(std::bit_cast<float>(0x3F81'8000)), 0x3F82);
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()), 0x7F80);
  EXPECT_TRUE(std::isnan(std::bit_cast<float>(
      static_cast<uint32_t>(to_bf16(std::bit_cast<float>(0x7F80'0001))) << 16)));
}

std::vector<float> through(GgufType type, const std::vector<float>& values) {
  const GgufBlock& block = gguf_block(type);
  const auto count = static_cast<int64_t>(values.size());
  std::vector<std::byte> bytes(static_cast<std::size_t>(count / block.items * block.bytes));
  encode(type, values.data(), count, bytes.data());
  std::vector<float> back(values.size());
  dequantise(type, bytes.data(), count, back.data());
  return back;
}

TEST(GgufEncode, GivesF32BackBitForBit) {
  const std::vector<float> values{0.1F, -0.0F, 1e-40F, 3e38F, -7};
  EXPECT_EQ(through(GgufType::f32, values), values);
  EXPECT_TRUE(std::signbit(through(GgufType::f32, values)[1]));
}

TEST(GgufEncode, LosesAtMostHalfAStepOfTheBlockInQ8) {
  std::vector<float> values(64);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] =
        static_cast<float>(std::sin(static_cast<double>(i) * 1.7)) * (i < 32 ? 2.0F : 0.01F);
  const std::vector<float> back = through(GgufType::q8_0, values);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float step = (i < 32 ? 2.0F : 0.01F) / 127;
    // Half a step of the code, and what fp16 takes from the scale.
    EXPECT_NEAR(back[i], values[i], 0.57 * static_cast<double>(step)) << i;
  }
  EXPECT_EQ(through(GgufType::q8_0, std::vector<float>(32)), std::vector<float>(32));
}

TEST(GgufEncode, KnowsWhatItCanWrite) {
  for (const GgufType type : {GgufType::f32, GgufType::f16, GgufType::bf16, GgufType::q8_0})
    EXPECT_TRUE(can_encode(type));
  for (const GgufType type : {GgufType::q4_0, GgufType::iq4_nl, GgufType::q6_k})
    EXPECT_FALSE(can_encode(type));
}

}  // namespace
}  // namespace cupel

#include "data/gguf_encode.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/error.h"

namespace cupel {

namespace {

constexpr int64_t kQ8Items = 32, kQ8Bytes = 34;

void store(uint16_t value, std::byte* out) { std::memcpy(out, &value, sizeof value); }

void to_q8_0(const float* in, std::byte* out) {
  float largest = 0;
  for (int64_t i = 0; i < kQ8Items; ++i) largest = std::max(largest, std::abs(in[i]));
  const float scale = largest / 127, inverse = scale == 0 ? 0 : 1 / scale;
  store(to_f16(scale), out);
  for (int64_t i = 0; i < kQ8Items; ++i) {
    const auto code = static_cast<int8_t>(std::round(in[i] * inverse));
    std::memcpy(out + 2 + i, &code, 1);
  }
}

}  // namespace

uint16_t to_f16(float value) {
  constexpr uint32_t kInfinite = 0x7F80'0000, kTooLarge = 0x4780'0000;  // 2^16
  constexpr uint32_t kSmallestNormal = 0x3880'0000;                     // 2^-14
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7FFF'FFFF;
  if (magnitude > kInfinite) return static_cast<uint16_t>(sign | 0x7E00);
  if (magnitude >= kTooLarge) return static_cast<uint16_t>(sign | 0x7C00);
  if (magnitude < kSmallestNormal) {
    // The sum's last bit is worth 2^-24, the format's least: the addition rounds.
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign |
                                 (std::bit_cast<uint32_t>(sum) - std::bit_cast<uint32_t>(0.5F)));
  }
  // Exponents are rebased by 112; half a unit, less one if the last bit kept is even, is added.
  const uint32_t rounded = magnitude - (112U << 23) + 0xFFF + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | rounded >> 13);
}

uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

bool can_encode(GgufType type) {
  return type == GgufType::f32 || type == GgufType::f16 || type == GgufType::bf16 ||
         type == GgufType::q8_0;
}

void encode(GgufType type, const float* in, int64_t count, std::byte* out) {
  CUPEL_ASSERT(can_encode(type) && count % gguf_block(type).items == 0);
  if (type == GgufType::f32) {
    std::memcpy(out, in, static_cast<std::size_t>(count) * sizeof(float));
  } else if (type == GgufType::q8_0) {
    for (int64_t i = 0; i < count; i += kQ8Items, out += kQ8Bytes) to_q8_0(in + i, out);
  } else {
    const bool half = type == GgufType::f16;
    for (int64_t i = 0; i < count; ++i) store(half ? to_f16(in[i]) : to_bf16(in[i]), out + 2 * i);
  }
}

}  // namespace cupel

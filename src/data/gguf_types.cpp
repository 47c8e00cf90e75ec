#include "data/gguf_types.h"

#include <array>
#include <bit>
#include <cstring>

#include "base/error.h"
#include "data/cb4.h"

namespace cupel {

namespace {

struct TypeRow {
  GgufType type;
  GgufBlock block;
};
constexpr std::array kTypes{
    TypeRow{GgufType::f32, {"F32", 1, 4}},         TypeRow{GgufType::f16, {"F16", 1, 2}},
    TypeRow{GgufType::bf16, {"BF16", 1, 2}},       TypeRow{GgufType::q8_0, {"Q8_0", 32, 34}},
    TypeRow{GgufType::q4_0, {"Q4_0", 32, 18}},     TypeRow{GgufType::q4_1, {"Q4_1", 32, 20}},
    TypeRow{GgufType::q5_0, {"Q5_0", 32, 22}},     TypeRow{GgufType::q5_1, {"Q5_1", 32, 24}},
    TypeRow{GgufType::iq4_nl, {"IQ4_NL", 32, 18}}, TypeRow{GgufType::q4_k, {"Q4_K", 256, 144}},
    TypeRow{GgufType::q5_k, {"Q5_K", 256, 176}},   TypeRow{GgufType::q6_k, {"Q6_K", 256, 210}},
};

/// ggml's names by number; empty: never given or taken back.
constexpr std::array<std::string_view, 42> kNames{
    "F32",     "F16",   "Q4_0",   "Q4_1",  "",      "",       "Q5_0", "Q5_1",    "Q8_0",
    "Q8_1",    "Q2_K",  "Q3_K",   "Q4_K",  "Q5_K",  "Q6_K",   "Q8_K", "IQ2_XXS", "IQ2_XS",
    "IQ3_XXS", "IQ1_S", "IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8",   "I16",     "I32",
    "I64",     "F64",   "IQ1_M",  "BF16",  "",      "",       "",     "TQ1_0",   "TQ2_0",
    "",        "",      "",       "MXFP4", "NVFP4", "Q1_0"};

constexpr int kLegacyBlock = 32, kSuperBlock = 256;

float read_f16(const uint8_t* at) { return from_f16(static_cast<uint16_t>(at[0] | at[1] << 8)); }

void from_f32(const uint8_t* data, int64_t count, float* out) {
  std::memcpy(out, data, static_cast<std::size_t>(count) * sizeof(float));
}

void from_f16s(const uint8_t* data, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) out[i] = read_f16(data + 2 * i);
}

void from_bf16s(const uint8_t* data, int64_t count, float* out) {
  for (int64_t i = 0; i < count; ++i) {
    const auto bits =
        static_cast<uint32_t>(data[2 * i] << 16) | static_cast<uint32_t>(data[2 * i + 1]) << 24;
    out[i] = std::bit_cast<float>(bits);
  }
}

/// scale f16, 32 × int8: scale * q
void from_q8_0(const uint8_t* block, float* out) {
  const float scale = read_f16(block);
  const auto* q = reinterpret_cast<const int8_t*>(block + 2);
  for (int i = 0; i < kLegacyBlock; ++i) out[i] = scale * static_cast<float>(q[i]);
}

/// scale f16, 16 bytes: the low nibbles are items 0 to 15, the high ones 16 to 31; scale * (q - 8)
void from_q4_0(const uint8_t* block, float* out) {
  const float scale = read_f16(block);
  const uint8_t* q = block + 2;
  for (int i = 0; i < 16; ++i) out[i] = scale * static_cast<float>((q[i] & 15) - 8);
  for (int i = 0; i < 16; ++i) out[16 + i] = scale * static_cast<float>((q[i] >> 4) - 8);
}

/// scale f16, minimum f16, nibbles as in Q4_0: scale * q + minimum
void from_q4_1(const uint8_t* block, float* out) {
  const float scale = read_f16(block), minimum = read_f16(block + 2);
  const uint8_t* q = block + 4;
  for (int i = 0; i < 16; ++i) out[i] = scale * static_cast<float>(q[i] & 15) + minimum;
  for (int i = 0; i < 16; ++i) out[16 + i] = scale * static_cast<float>(q[i] >> 4) + minimum;
}

/// The fifth bits of 32 items as a word, and the nibbles as in Q4_0: q in 0 … 31.
void five_bits(const uint8_t* high, const uint8_t* low, int* q) {
  uint32_t bits = 0;
  std::memcpy(&bits, high, sizeof bits);
  for (int i = 0; i < 16; ++i) {
    q[i] = (low[i] & 15) | static_cast<int>((bits >> i & 1) << 4);
    q[16 + i] = (low[i] >> 4) | static_cast<int>((bits >> (16 + i) & 1) << 4);
  }
}

/// scale f16, fifth bits, nibbles: scale * (q - 16)
void from_q5_0(const uint8_t* block, float* out) {
  const float scale = read_f16(block);
  int q[kLegacyBlock];
  five_bits(block + 2, block + 6, q);
  for (int i = 0; i < kLegacyBlock; ++i) out[i] = scale * static_cast<float>(q[i] - 16);
}

/// scale f16, minimum f16, fifth bits, nibbles: scale * q + minimum
void from_q5_1(const uint8_t* block, float* out) {
  const float scale = read_f16(block), minimum = read_f16(block + 2);
  int q[kLegacyBlock];
  five_bits(block + 4, block + 8, q);
  for (int i = 0; i < kLegacyBlock; ++i) out[i] = scale * static_cast<float>(q[i]) + minimum;
}

/// scale f16, nibbles as in Q4_0: scale * cb4::kValues[q]
void from_iq4_nl(const uint8_t* block, float* out) {
  const float scale = read_f16(block);
  const uint8_t* q = block + 2;
  for (int i = 0; i < 16; ++i) out[i] = scale * static_cast<float>(cb4::kValues[q[i] & 15]);
  for (int i = 0; i < 16; ++i) out[16 + i] = scale * static_cast<float>(cb4::kValues[q[i] >> 4]);
}

/// The eight scales and minima of a super-block, 6 bits each in 12 bytes: the first four of both
/// in the low bits of bytes 0 to 7, whose upper two bits and bytes 8 to 11 make the last four.
struct SubScales {
  float scale[8], minimum[8];
};
SubScales sub_scales(const uint8_t* block) {
  const float scale = read_f16(block), minimum = read_f16(block + 2);
  const uint8_t* packed = block + 4;
  SubScales result;
  for (int i = 0; i < 4; ++i) {
    const uint8_t s = packed[i], m = packed[4 + i], both = packed[8 + i];
    result.scale[i] = scale * static_cast<float>(s & 63);
    result.minimum[i] = minimum * static_cast<float>(m & 63);
    result.scale[4 + i] = scale * static_cast<float>((both & 15) | (s >> 6 << 4));
    result.minimum[4 + i] = minimum * static_cast<float>((both >> 4) | (m >> 6 << 4));
  }
  return result;
}

/// scale f16, minimum f16, packed sub-scales, 128 bytes of nibbles, 32 a pair of sub-blocks:
/// scale_s * q - minimum_s
void from_q4_k(const uint8_t* block, float* out) {
  const SubScales sub = sub_scales(block);
  const uint8_t* q = block + 16;
  for (int s = 0; s < 8; s += 2, q += 32, out += 64) {
    for (int i = 0; i < 32; ++i)
      out[i] = sub.scale[s] * static_cast<float>(q[i] & 15) - sub.minimum[s];
    for (int i = 0; i < 32; ++i)
      out[32 + i] = sub.scale[s + 1] * static_cast<float>(q[i] >> 4) - sub.minimum[s + 1];
  }
}

/// As Q4_K with 32 bytes of fifth bits before the nibbles, bit s of byte i for sub-block s.
void from_q5_k(const uint8_t* block, float* out) {
  const SubScales sub = sub_scales(block);
  const uint8_t* high = block + 16;
  const uint8_t* q = block + 48;
  for (int s = 0; s < 8; s += 2, q += 32, out += 64) {
    for (int i = 0; i < 32; ++i) {
      const int low = (q[i] & 15) | ((high[i] >> s & 1) << 4);
      const int up = (q[i] >> 4) | ((high[i] >> (s + 1) & 1) << 4);
      out[i] = sub.scale[s] * static_cast<float>(low) - sub.minimum[s];
      out[32 + i] = sub.scale[s + 1] * static_cast<float>(up) - sub.minimum[s + 1];
    }
  }
}

/// 128 bytes of low nibbles, 64 of upper two bits, 16 × int8 scales, scale f16:
/// (scale * scale_s) * (q - 32), a sub-block is 16 items
void from_q6_k(const uint8_t* block, float* out) {
  const uint8_t* low = block;
  const uint8_t* high = block + 128;
  const auto* scales = reinterpret_cast<const int8_t*>(block + 192);
  const float scale = read_f16(block + 208);
  for (int half = 0; half < 2; ++half, low += 64, high += 32, scales += 8, out += 128) {
    for (int part = 0; part < 4; ++part) {  // of 32 items
      const uint8_t* q = low + 32 * (part & 1);
      const int low_shift = part < 2 ? 0 : 4;
      for (int i = 0; i < 32; ++i) {
        const int value = (q[i] >> low_shift & 15) | ((high[i] >> (2 * part) & 3) << 4);
        const float factor = scale * static_cast<float>(scales[2 * part + i / 16]);
        out[32 * part + i] = factor * static_cast<float>(value - 32);
      }
    }
  }
}

template <int kItems, int kBytes, void (*kFrom)(const uint8_t*, float*)>
void from_blocks(const uint8_t* data, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kItems, data += kBytes) kFrom(data, out + i);
}

}  // namespace

std::optional<GgufType> find_gguf_type(uint32_t number) {
  for (const TypeRow& row : kTypes) {
    if (static_cast<uint32_t>(row.type) == number) return row.type;
  }
  return std::nullopt;
}

const GgufBlock& gguf_block(GgufType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row.block;
  }
  fail(ErrorKind::bug, "[data.gguf_types]", "no such type");
}

std::string known_gguf_types() {
  std::string names;
  for (const TypeRow& row : kTypes) {
    names += (names.empty() ? "" : ", ") + std::string(row.block.name);
  }
  return names;
}

std::string gguf_type_name(uint32_t number) {
  if (number < kNames.size() && !kNames[number].empty()) return std::string(kNames[number]);
  return "number " + std::to_string(number);
}

float from_f16(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(bits & 0x7FFF) << 13;
  // Exponents are rebased by 112; what has none (subnormal) is normalised by a subtraction.
  constexpr uint32_t kRebase = 112u << 23, kOne = 113u << 23, kInfinite = 0x7C00u << 13;
  const float subnormal = std::bit_cast<float>(magnitude + kOne) - std::bit_cast<float>(kOne);
  uint32_t result = magnitude + kRebase;
  if (magnitude >= kInfinite) result += kRebase;
  if (magnitude < (1u << 23)) result = std::bit_cast<uint32_t>(subnormal);
  return std::bit_cast<float>(result | sign);
}

void dequantise(GgufType type, const std::byte* data, int64_t count, float* out) {
  CUPEL_ASSERT(count % gguf_block(type).items == 0);
  const auto* bytes = reinterpret_cast<const uint8_t*>(data);
  switch (type) {
    case GgufType::f32:
      return from_f32(bytes, count, out);
    case GgufType::f16:
      return from_f16s(bytes, count, out);
    case GgufType::bf16:
      return from_bf16s(bytes, count, out);
    case GgufType::q8_0:
      return from_blocks<kLegacyBlock, 34, from_q8_0>(bytes, count, out);
    case GgufType::q4_0:
      return from_blocks<kLegacyBlock, 18, from_q4_0>(bytes, count, out);
    case GgufType::q4_1:
      return from_blocks<kLegacyBlock, 20, from_q4_1>(bytes, count, out);
    case GgufType::q5_0:
      return from_blocks<kLegacyBlock, 22, from_q5_0>(bytes, count, out);
    case GgufType::q5_1:
      return from_blocks<kLegacyBlock, 24, from_q5_1>(bytes, count, out);
    case GgufType::iq4_nl:
      return from_blocks<kLegacyBlock, 18, from_iq4_nl>(bytes, count, out);
    case GgufType::q4_k:
      return from_blocks<kSuperBlock, 144, from_q4_k>(bytes, count, out);
    case GgufType::q5_k:
      return from_blocks<kSuperBlock, 176, from_q5_k>(bytes, count, out);
    case GgufType::q6_k:
      return from_blocks<kSuperBlock, 210, from_q6_k>(bytes, count, out);
  }
}

}  // namespace cupel

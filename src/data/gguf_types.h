// The number formats of GGUF tensors, and how each becomes fp32.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cupel {

/// The formats that are read. Numbers are those of ggml's enum ggml_type.
enum class GgufType : uint32_t {
  f32 = 0,
  f16 = 1,
  q4_0 = 2,
  q4_1 = 3,
  q5_0 = 6,
  q5_1 = 7,
  q8_0 = 8,
  q4_k = 12,
  q5_k = 13,
  q6_k = 14,
  iq4_nl = 20,
  bf16 = 30,
};

inline constexpr std::size_t kGgufMaxRank = 4;
inline constexpr int64_t kGgufAlignment = 32;  // of a file that says no other in general.alignment

/// `items` neighbours of a row are stored together in `bytes`.
struct GgufBlock {
  std::string_view name;  // as ggml writes it: "Q4_K"
  int64_t items = 1;
  int64_t bytes = 4;
};

/// The format of that number, or nothing.
std::optional<GgufType> find_gguf_type(uint32_t number);
const GgufBlock& gguf_block(GgufType type);
/// "F32, F16, …": every format that is read.
std::string known_gguf_types();
/// The name of any of ggml's formats, read or not: "IQ2_XS"; "number 99" if ggml has none.
std::string gguf_type_name(uint32_t number);

/// IEEE binary16 to fp32, exact.
float from_f16(uint16_t bits);

/// `count` numbers, whole blocks, to fp32. `data` need not be aligned. Values are bit for bit those
/// of ggml's own loops and of the Python package gguf (products and sums in fp32, unfused).
void dequantise(GgufType type, const std::byte* data, int64_t count, float* out);

}  // namespace cupel

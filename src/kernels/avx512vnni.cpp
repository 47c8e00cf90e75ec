// The 8-bit slot of the row avx512vnni: a product by dot products of four bytes (Intel SDM volume
// 2, VPDPBUSD).
#include "kernels/vec_avx512_inl.h"

// The loops over its Vec.
#include "kernels/cb4_inl.h"
#include "kernels/int8_inl.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

/// sum + dot products of four bytes each, a's unsigned, b's signed. Of the intrinsic g++ 12 makes
/// two copies of the sum a product, which fill the decoder.
inline Ints add_dots(Ints sum, Ints a, Ints b) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

/// Unsigned bytes of A times signed ones of B, summed in 32 bits as they are.
struct DotQuads {
  static constexpr int64_t kRows = 12;  // 12 x 32 sums fill 24 of 32 registers
  static Ints left(Ints a) { return a; }
  static Ints right(Ints b) { return b; }
  static Ints add(Ints sum, Ints a, Ints b) { return add_dots(sum, a, b); }
};

/// Codes as unsigned bytes, 128 too large, times signed ones of A; the sums begin with what takes
/// that back.
struct OffsetCodes {
  static constexpr int64_t kRows = 6;    // 6 x 32 sums of both kinds fill 24 of 32 registers
  static constexpr int8_t kBias = -128;  // + 128 as a byte
  static Ints first(int32_t offset) { return splat_int(offset); }
  static Ints left(Ints a) { return a; }
  static Ints add(Ints sum, Ints a, Ints b) { return add_dots(sum, b, a); }
};

}  // namespace

constinit const Kernels kAvx512VnniRow = {.name = "avx512vnni",
                                          .gemm_int8 = gemm_int8_by<DotQuads>,
                                          .gemm_cb4 = gemm_cb4_by<OffsetCodes>};

}  // namespace cupel

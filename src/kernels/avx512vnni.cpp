// The 8-bit slot of the row avx512vnni: a product by dot products of four bytes (Intel SDM volume
// 2, VPDPBUSD).
#include "kernels/vec_avx512_inl.h"

// The loops over its Vec.
#include "kernels/int8_inl.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

/// Unsigned bytes of A times signed ones of B, summed in 32 bits as they are.
struct DotQuads {
  static constexpr int64_t kRows = 12;  // 12 x 32 sums fill 24 of 32 registers
  static Ints left(Ints a) { return a; }
  static Ints right(Ints b) { return b; }
  static Ints add(Ints sum, Ints a, Ints b) { return _mm512_dpbusd_epi32(sum, a, b); }
};

}  // namespace

constinit const Kernels kAvx512VnniRow = {.name = "avx512vnni",
                                          .gemm_int8 = gemm_int8_by<DotQuads>};

}  // namespace cupel

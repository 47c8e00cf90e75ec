// The row for AVX-512 F, BW, VL and DQ: Intel servers since Skylake, AMD since Zen 4.
#include "kernels/vec_avx512_inl.h"

// The loops over its Vec.
#include "kernels/row_inl.h"

namespace cupel {

constinit const Kernels kAvx512Row = vector_row("avx512");

}  // namespace cupel

// The row for AVX2, FMA and F16C: plain desktops and servers since 2013.
#include "kernels/vec_avx2_inl.h"

// The loops over its Vec.
#include "kernels/row_inl.h"

namespace cupel {

constinit const Kernels kAvx2Row = vector_row("avx2");

}  // namespace cupel

// The row for AVX2, FMA and F16C: plain desktops and servers since 2013.
#include "kernels/vec_avx2_inl.h"

// The loops over its Vec.
#include "kernels/row_inl.h"
#include "kernels/topic_inl.h"

namespace cupel {
namespace {

constexpr Kernels avx2_row() {
  Kernels row = vector_row("avx2");
  row.topic_sweep = topic_sweep;
  return row;
}

}  // namespace

constinit const Kernels kAvx2Row = avx2_row();

}  // namespace cupel

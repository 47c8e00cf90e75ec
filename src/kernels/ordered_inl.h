// The matrix product whose bits no row changes: vectors run over columns, depth is added in order.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

/// kRows x (2·kLanes) elements of C from row i and column j; `count` columns are left there.
template <int kRows>
inline void ordered_tile(const OrderedProductArgs& args, int64_t i, int64_t j, int64_t count) {
  const int64_t first = count < kLanes ? count : kLanes, second = count - first;
  float* c = args.c + i * args.c_row_stride + j;
  Vec sums[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    const float* from = c + r * args.c_row_stride;
    sums[r][0] = args.accumulate ? load_some(from, first) : zero();
    sums[r][1] = args.accumulate && second > 0 ? load_some(from + kLanes, second) : zero();
  }
  const float* a = args.a + i * args.a_row_stride;
  const float* b = args.b + j;
  for (int64_t p = 0; p < args.k; ++p, a += args.a_col_stride, b += args.b_row_stride) {
    const Vec left = load_some(b, first);
    const Vec right = second > 0 ? load_some(b + kLanes, second) : zero();
    for (int r = 0; r < kRows; ++r) {
      const Vec factor = splat(a[r * args.a_row_stride]);
      sums[r][0] = sums[r][0] + factor * left;
      sums[r][1] = sums[r][1] + factor * right;
    }
  }
  for (int r = 0; r < kRows; ++r) {
    store_some(c + r * args.c_row_stride, sums[r][0], first);
    if (second > 0) store_some(c + r * args.c_row_stride + kLanes, sums[r][1], second);
  }
}

void ordered_product(const OrderedProductArgs& args) {
  constexpr int kRows = 4;
  for (int64_t j = 0; j < args.n; j += 2 * kLanes) {
    const int64_t count = args.n - j < 2 * kLanes ? args.n - j : 2 * kLanes;
    int64_t i = 0;
    for (; i + kRows <= args.m; i += kRows) {
      count == 2 * kLanes ? ordered_tile<kRows>(args, i, j, 2 * kLanes)
                          : ordered_tile<kRows>(args, i, j, count);
    }
    for (; i < args.m; ++i) ordered_tile<1>(args, i, j, count);
  }
}

}  // namespace
}  // namespace cupel

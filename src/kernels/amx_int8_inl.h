// The 8-bit slot of the row amx: a product by tiles of 16 x 16 sums, 64 depths a step (Intel SDM
// volume 2, TDPBUSD). Included after vec_avx512_inl.h, for a file that configures the tiles: 0 to 3
// sums, 4 and 5 A's, 6 and 7 B's, all of 16 rows of 64 bytes.
#pragma once

#include "kernels/int8_inl.h"

namespace cupel {
namespace {

constexpr int64_t kInt8TileRows = 16;

/// sums[16 or 32, 32] = A · B over `steps` tiles of depth; A's rows are read where they lie.
template <bool two_rows>
[[gnu::noinline]] void sum_int8_tiles(const uint8_t* a, int64_t a_row, const int8_t* b,
                                      int64_t steps, int32_t* sums) {
  __asm__ volatile("" ::: "memory");  // GCC's tile loads do not tell it what memory they read
  _tile_zero(0);
  _tile_zero(1);
  if constexpr (two_rows) {
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t step = 0; step < steps; ++step, a += kInt8Depth, b += kInt8Depth / 4 * kInt8Quad) {
    _tile_loadd(4, a, a_row);
    _tile_loadd(6, b, kInt8Quad);
    _tile_dpbusd(0, 4, 6);
    _tile_loadd(7, b + kInt8Quad / 2, kInt8Quad);
    _tile_dpbusd(1, 4, 7);
    if constexpr (two_rows) {
      _tile_loadd(5, a + kInt8TileRows * a_row, a_row);
      _tile_dpbusd(2, 5, 6);
      _tile_dpbusd(3, 5, 7);
    }
  }
  constexpr int64_t kSumsRow = kInt8PanelCols * 4;
  _tile_stored(0, sums, kSumsRow);
  _tile_stored(1, sums + kLanes, kSumsRow);
  if constexpr (two_rows) {
    _tile_stored(2, sums + kInt8TileRows * kInt8PanelCols, kSumsRow);
    _tile_stored(3, sums + kInt8TileRows * kInt8PanelCols + kLanes, kSumsRow);
  }
  __asm__ volatile("" ::: "memory");  // nor what its tile stores write
}

/// Up to 32 rows from `row` times the panel that begins at column `col`.
inline void multiply_int8_panel(const Int8GemmArgs& args, int64_t row, int64_t rows, int64_t col) {
  static_assert(kInt8Group % kInt8Depth == 0);
  constexpr int64_t kSteps = kInt8Group / kInt8Depth;
  alignas(64) int32_t sums[2 * kInt8TileRows * kInt8PanelCols];
  const auto sum = rows > kInt8TileRows ? sum_int8_tiles<true> : sum_int8_tiles<false>;
  const int64_t groups = int8_groups(args.k), cols = int8_cols(args.n);
  const int64_t steps = (args.k + kInt8Depth - 1) / kInt8Depth;
  Int8Matrix b = at_column(args.b, col, args.k);
  for (int64_t g = 0; g < groups; ++g) {
    sum(args.a + row * args.a_row_stride + g * kInt8Group, args.a_row_stride, b.panels,
        steps - g * kSteps < kSteps ? steps - g * kSteps : kSteps, sums);
    for (int64_t i = 0; i < rows; ++i) {
      const Vec a_scale = splat(args.a_scale[(row + i) * groups + g]);
      const Ints a_zero = splat_int(args.a_zero[(row + i) * groups + g]);
      float* c = args.c + (row + i) * args.c_row_stride + col;
      for (int64_t j = 0; j < kInt8PanelCols && col + j < args.n; j += kLanes)
        store_scaled(c + j, load_ints(sums + i * kInt8PanelCols + j), a_zero, a_scale, b, j,
                     g > 0 || args.accumulate, args.n - col - j);
    }
    b = {b.panels + kInt8Group / 4 * kInt8Quad, b.sums + cols, b.scales + cols};
  }
}

inline void gemm_int8_by_tiles(const Int8GemmArgs& args) {
  constexpr int64_t kRows = 2 * kInt8TileRows;
  static_assert(kInt8StripRows % kRows == 0);
  for (int64_t row = 0; row < args.m; row += kInt8StripRows) {
    const int64_t end = args.m - row < kInt8StripRows ? args.m : row + kInt8StripRows;
    for (int64_t col = 0; col < args.n; col += kInt8PanelCols)
      for (int64_t i = row; i < end; i += kRows)
        multiply_int8_panel(args, i, end - i < kRows ? end - i : kRows, col);
  }
}

}  // namespace
}  // namespace cupel

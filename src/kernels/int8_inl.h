// Rows of 8-bit integers: their products by panels packed once, and how floats become them.
#pragma once

#include <cstdint>

#include "kernels/blocking.h"
#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

/// Four depths of A (unsigned) times four of B (signed) in each 32-bit lane. Without a dot product
/// of bytes: widened to 16 bits, where neither products nor their sums saturate.
struct WidenedQuads {
  static constexpr int64_t kRows = kLanes == 8 ? 4 : 8;  // of a tile, so that it stays in registers
  struct Quads {
    Ints even, odd;
  };
  static Quads left(Ints a) { return {even_unsigned(a), odd_unsigned(a)}; }
  static Quads right(Ints b) { return {even_signed(b), odd_signed(b)}; }
  static Ints add(Ints sum, const Quads& a, const Quads& b) {
    return add_products(add_products(sum, a.even, b.even), a.odd, b.odd);
  }
};

/// A tile of C: up to 2 * kLanes columns, whose panel stands at b.panels.
struct Int8Tile {
  int64_t quads;
  const uint8_t* a;
  int64_t a_row;
  const float* a_scale;
  Int8Matrix b;
  float* c;
  int64_t c_row, cols;
  bool accumulate;
};

/// What a lane of sums becomes: b's offsets taken away, scaled, added to C if asked.
inline void store_scaled(float* c, Ints sums, const int32_t* offsets, Vec a_scale,
                         const float* b_scale, bool accumulate, int64_t count) {
  const Vec total = floats_of(sub_ints(sums, load_ints(offsets)));
  const Vec value = total * (a_scale * load(b_scale));
  store_some(c, accumulate ? load_some(c, count) + value : value, count);
}

[[gnu::noinline]] inline void store_int8_tile(const Int8Tile& tile, int64_t rows, int64_t vecs,
                                              const Ints* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    const Vec a_scale = splat(tile.a_scale[i]);
    float* c = tile.c + i * tile.c_row;
    for (int64_t j = 0; j < vecs * kLanes; j += kLanes)
      store_scaled(c + j, *sums++, tile.b.offsets + j, a_scale, tile.b.scales + j, tile.accumulate,
                   tile.cols - j);
  }
}

template <class Dot, int64_t rows, int64_t vecs>
[[gnu::noinline]] void run_int8_tile(const Int8Tile& tile) {
  Ints sums[rows][vecs] = {};
  const uint8_t* a = tile.a;
  const int8_t* b = tile.b.panels;
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < vecs * kLanes; j += 16) __builtin_prefetch(tile.c + i * tile.c_row + j);
  const int64_t a_row = tile.a_row;
  for (int64_t quad = 0; quad < tile.quads; ++quad, a += 4, b += kInt8Quad) {
    decltype(Dot::right(Ints{})) right[vecs];
#pragma GCC unroll 2
    for (int64_t v = 0; v < vecs; ++v) right[v] = Dot::right(load_ints(b + v * kLanes * 4));
#pragma GCC unroll 16
    for (int64_t i = 0; i < rows; ++i) {
      int32_t bytes;
      __builtin_memcpy(&bytes, a + i * a_row, 4);
      const auto left = Dot::left(splat_int(bytes));
#pragma GCC unroll 2
      for (int64_t v = 0; v < vecs; ++v) sums[i][v] = Dot::add(sums[i][v], left, right[v]);
    }
  }
  Ints copy[rows * vecs];  // so that `sums` itself needs no address and stays in registers
#pragma GCC unroll 32
  for (int64_t i = 0; i < rows * vecs; ++i) copy[i] = sums[i / vecs][i % vecs];
  store_int8_tile(tile, rows, vecs, copy);
}

template <class Dot, int64_t rows>
inline void run_int8_tile_of(int64_t wanted, const Int8Tile& tile) {
  if constexpr (rows > 0) {
    if (wanted < rows) return run_int8_tile_of<Dot, rows - 1>(wanted, tile);
    return tile.cols > kLanes ? run_int8_tile<Dot, rows, 2>(tile)
                              : run_int8_tile<Dot, rows, 1>(tile);
  }
}

/// Where column `col`, a multiple of kLanes, begins.
inline Int8Matrix at_column(const Int8Matrix& b, int64_t col, int64_t k) {
  const int64_t depth = (k + kInt8Depth - 1) / kInt8Depth * kInt8Depth;
  const int64_t in_panel = col % kInt8PanelCols;
  return {b.panels + (col - in_panel) * depth + in_panel * 4, b.offsets + col, b.scales + col};
}

template <class Dot>
void gemm_int8_by(const Int8GemmArgs& args) {
  for (int64_t row = 0; row < args.m; row += kInt8StripRows) {
    const int64_t end = args.m - row < kInt8StripRows ? args.m : row + kInt8StripRows;
    for (int64_t col = 0; col < args.n; col += 2 * kLanes) {
      const Int8Matrix b = at_column(args.b, col, args.k);
      for (int64_t i = row; i < end; i += Dot::kRows) {
        const Int8Tile tile = {(args.k + 3) / 4,
                               args.a + i * args.a_row_stride,
                               args.a_row_stride,
                               args.a_scale + i,
                               b,
                               args.c + i * args.c_row_stride + col,
                               args.c_row_stride,
                               args.n - col,
                               args.accumulate};
        run_int8_tile_of<Dot, Dot::kRows>(end - i < Dot::kRows ? end - i : Dot::kRows, tile);
      }
    }
  }
}

inline void quantize_rows(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                          float* scale, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    Ints most = splat_int(0);  // bits of magnitudes: infinity and NaN stand above all numbers
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      most = max_ints(most, magnitude_bits(load_some(x + i, count)));
    });
    const float largest = __builtin_bit_cast(float, largest_int(most));
    const bool finite = largest < __builtin_inff();
    scale[r] = finite ? 0.0f : __builtin_nanf("");
    for (int64_t i = cols; i < y_stride; ++i) y[i] = kInt8Zero;
    if (!finite || largest <= 0x1p-100f) {
      for (int64_t i = 0; i < cols; ++i) y[i] = kInt8Zero;
      continue;
    }
    scale[r] = largest / 127;
    const Vec factor = splat(127 / largest);
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      store_bytes(y + i, load_some(x + i, count) * factor, count);
    });
  }
}

}  // namespace
}  // namespace cupel

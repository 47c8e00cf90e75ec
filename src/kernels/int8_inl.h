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

/// A tile of C: up to 2 * kLanes columns, whose panel stands at b.panels. Scales and zeros of the
/// next group stand 1 further in A's and b_group further in B's.
struct Int8Tile {
  int64_t quads, groups;
  const uint8_t* a;
  int64_t a_row;
  const float* a_scale;
  const int32_t* a_zero;
  Int8Matrix b;
  int64_t b_group;
  float* c;
  int64_t c_row, cols;
  bool accumulate;
};

/// What sums of a row of A and b's columns from `column` on become: less A's zero, scaled, added to
/// C if asked.
inline void store_scaled(float* c, Ints sums, Ints a_zero, Vec a_scale, const Int8Matrix& b,
                         int64_t column, bool accumulate, int64_t count) {
  const Ints zeros = multiply_ints(a_zero, load_ints(b.sums + column));
  const Vec value = floats_of(sub_ints(sums, zeros)) * (a_scale * load(b.scales + column));
  store_some(c, accumulate ? load_some(c, count) + value : value, count);
}

[[gnu::noinline]] inline void store_int8_tile(const Int8Tile& tile, int64_t rows, int64_t vecs,
                                              const Ints* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    const Vec a_scale = splat(tile.a_scale[i * tile.groups]);
    const Ints a_zero = splat_int(tile.a_zero[i * tile.groups]);
    float* c = tile.c + i * tile.c_row;
    for (int64_t j = 0; j < vecs * kLanes; j += kLanes)
      store_scaled(c + j, *sums++, a_zero, a_scale, tile.b, j, tile.accumulate, tile.cols - j);
  }
}

/// The depths of one group, at tile.a and tile.b.panels.
template <class Dot, int64_t rows, int64_t vecs>
[[gnu::noinline]] void run_int8_group(const Int8Tile& tile) {
  Ints sums[rows][vecs] = {};
  const uint8_t* a = tile.a;
  const int8_t* b = tile.b.panels;
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

template <class Dot, int64_t rows, int64_t vecs>
void run_int8_tile(Int8Tile tile) {
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < vecs * kLanes; j += 16) __builtin_prefetch(tile.c + i * tile.c_row + j);
  constexpr int64_t kQuads = kInt8Group / 4;
  for (int64_t left = tile.quads; left > 0; left -= kQuads) {
    tile.quads = left < kQuads ? left : kQuads;
    run_int8_group<Dot, rows, vecs>(tile);
    tile.accumulate = true;
    tile.a += kInt8Group;
    ++tile.a_scale;
    ++tile.a_zero;
    tile.b = {tile.b.panels + kQuads * kInt8Quad, tile.b.sums + tile.b_group,
              tile.b.scales + tile.b_group};
  }
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
  return {b.panels + (col - in_panel) * depth + in_panel * 4, b.sums + col, b.scales + col};
}

template <class Dot>
void gemm_int8_by(const Int8GemmArgs& args) {
  const int64_t groups = int8_groups(args.k), b_group = int8_cols(args.n);
  for (int64_t row = 0; row < args.m; row += kInt8StripRows) {
    const int64_t end = args.m - row < kInt8StripRows ? args.m : row + kInt8StripRows;
    for (int64_t col = 0; col < args.n; col += 2 * kLanes) {
      const Int8Matrix b = at_column(args.b, col, args.k);
      for (int64_t i = row; i < end; i += Dot::kRows) {
        const Int8Tile tile = {(args.k + 3) / 4,
                               groups,
                               args.a + i * args.a_row_stride,
                               args.a_row_stride,
                               args.a_scale + i * groups,
                               args.a_zero + i * groups,
                               b,
                               b_group,
                               args.c + i * args.c_row_stride + col,
                               args.c_row_stride,
                               args.n - col,
                               args.accumulate};
        run_int8_tile_of<Dot, Dot::kRows>(end - i < Dot::kRows ? end - i : Dot::kRows, tile);
      }
    }
  }
}

inline void quantize_group(const float* x, int64_t size, uint8_t* y, float& scale, int32_t& zero) {
  constexpr int32_t kInfinity = 0x7f800000;  // NaN stands above it
  Vec least = splat(0.0f), most = least;
  Ints bits = splat_int(0);
  for_each_vec(size, [&](int64_t i, int64_t count) {
    const Vec v = load_some(x + i, count);
    least = min(least, v);
    most = max(most, v);
    bits = max_ints(bits, magnitude_bits(v));
  });
  const float below = largest(splat(0.0f) - least), range = largest(most) + below;
  const bool finite = largest_int(bits) < kInfinity && range < __builtin_inff();
  scale = finite ? 0.0f : __builtin_nanf("");
  zero = 0;
  if (!finite || range <= kNothing) {
    for (int64_t i = 0; i < size; ++i) y[i] = 0;
    return;
  }
  scale = range / 255;
  const Vec factor = splat(255 / range);
  zero = static_cast<int32_t>(first_lane(round(splat(below) * factor)));
  for_each_vec(size, [&](int64_t i, int64_t count) {
    store_bytes(y + i, load_some(x + i, count) * factor, zero, count);
  });
}

inline void quantize_rows(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                          float* scale, int32_t* zero, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride)
    for (int64_t begin = 0; begin < cols; begin += kInt8Group, ++scale, ++zero)
      quantize_group(x + begin, cols - begin < kInt8Group ? cols - begin : kInt8Group, y + begin,
                     *scale, *zero);
}

}  // namespace
}  // namespace cupel

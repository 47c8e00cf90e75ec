// Rows of 8-bit activations times weights in 4-bit codes: the codes are looked up once into L1 for
// many rows of A, or in registers for a few.
#pragma once

#include <cstdint>

#include "kernels/blocking.h"
#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

/// Codes as what they stand for. Without a dot product of bytes: both sides are widened to 16 bits,
/// where neither products nor their sums saturate.
struct SignedCodes {
  static constexpr int64_t kRows = kLanes == 8 ? 2 : 6;  // so that a tile stays in registers
  static constexpr int8_t kBias = 0;
  struct Quads {
    Ints even, odd;
  };
  static Ints first(int32_t) { return splat_int(0); }
  static Quads left(Ints a) { return {even_signed(a), odd_signed(a)}; }
  static Ints add(Ints sum, const Quads& a, Ints b) {
    return add_products(add_products(sum, a.even, even_signed(b)), a.odd, odd_signed(b));
  }
};

struct Cb4Table {
  int8_t values[16];
};
template <class Codes>
constexpr Cb4Table cb4_table() {
  Cb4Table table = {};
  for (int i = 0; i < 16; ++i)
    table.values[i] = static_cast<int8_t>(static_cast<uint8_t>(kCb4Values[i]) +
                                          static_cast<uint8_t>(Codes::kBias));
  return table;
}

constexpr int64_t kCb4Vecs = kCb4PanelCols / kLanes;  // of a panel
constexpr int64_t kCb4Quad = 2 * kCb4Line;            // decoded bytes of four depths, two panels
constexpr int64_t kCb4BlockCodes = kCb4Lines * kCb4Line;
constexpr int64_t kCb4Sums = 2 * kCb4PanelCols;  // of a row in a tile

/// A tile of C: up to two panels of columns, over the depths that are decoded.
struct Cb4Tile {
  int64_t groups, blocks;  // blocks of a group
  const int8_t* a;
  int64_t a_row;
  const float* a_scale;
  const int32_t* offset;
  int64_t groups_row;  // groups of a whole row of A
  const uint8_t* b;
  const float* scales;
  const float* before;  // sums of the depths before, kCb4Sums a row; null: there are none
  float* c;
  int64_t c_row, cols;
};

template <class Codes, int64_t rows>
[[gnu::noinline]] void run_cb4_tile(const Cb4Tile& tile) {
  constexpr int64_t kVecs = 2 * kCb4Vecs, kQuads = kCb4Block / 4;
  Vec totals[rows][kVecs];
#pragma GCC unroll 8
  for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVecs; ++v)
      totals[i][v] = tile.before ? load(tile.before + i * kCb4Sums + v * kLanes) : zero();
  const int8_t* a = tile.a;
  const uint8_t* b = tile.b;
  const float* scales = tile.scales;
  const int64_t a_row = tile.a_row, groups_row = tile.groups_row;
  for (int64_t g = 0; g < tile.groups; ++g, scales += 2 * kCb4PanelCols) {
    Ints sums[rows][kVecs];
#pragma GCC unroll 8
    for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVecs; ++v)
        sums[i][v] = Codes::first(tile.offset[i * groups_row + g]);
    for (int64_t block = 0; block < tile.blocks; ++block, a += kCb4Block, b += kQuads * kCb4Quad)
#pragma GCC unroll 8
      for (int64_t quad = 0; quad < kQuads; ++quad) {
        Ints right[kVecs];
#pragma GCC unroll 4
        for (int64_t v = 0; v < kVecs; ++v)
          right[v] = load_ints(b + quad * kCb4Quad + v * kLanes * 4);
#pragma GCC unroll 8
        for (int64_t i = 0; i < rows; ++i) {
          int32_t bytes;
          __builtin_memcpy(&bytes, a + quad * 4 + i * a_row, 4);
          const auto left = Codes::left(splat_int(bytes));
#pragma GCC unroll 4
          for (int64_t v = 0; v < kVecs; ++v) sums[i][v] = Codes::add(sums[i][v], left, right[v]);
        }
      }
#pragma GCC unroll 8
    for (int64_t i = 0; i < rows; ++i) {
      const Vec a_scale = splat(tile.a_scale[i * groups_row + g]);
#pragma GCC unroll 4
      for (int64_t v = 0; v < kVecs; ++v)
        totals[i][v] =
            fma(floats_of(sums[i][v]), load(scales + v * kLanes) * a_scale, totals[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int64_t v = 0; v < kVecs; ++v) {
      const int64_t left = tile.cols - v * kLanes;
      if (left > 0) store_some(tile.c + i * tile.c_row + v * kLanes, totals[i][v], left);
    }
}

template <class Codes, int64_t rows>
inline void run_cb4_tile_of(int64_t wanted, const Cb4Tile& tile) {
  if constexpr (rows > 0) {
    if (wanted < rows) return run_cb4_tile_of<Codes, rows - 1>(wanted, tile);
    run_cb4_tile<Codes, rows>(tile);
  }
}

/// Scales of kCb4PanelCols columns, binary16.
inline void widen_scales(const uint16_t* from, float* to) {
  for (int64_t v = 0; v < kCb4PanelCols; v += kLanes) store(to + v, load_f16(from + v));
}

/// Depths begin … begin + depth of one panel: bytes to b, scales to `scales`, those of the other
/// panel in between.
template <class Codes>
inline void decode_cb4_panel(const Cb4Matrix& from, int64_t panel, int64_t k, int64_t begin,
                             int64_t depth, uint8_t* b, float* scales) {
  static constexpr Cb4Table kTable = cb4_table<Codes>();
  const uint8_t* codes =
      from.codes + (panel * (k / kCb4Block) + begin / kCb4Block) * kCb4BlockCodes;
  for (int64_t p = 0; p < depth; p += kCb4Block, b += kCb4Block / 4 * kCb4Quad)
    for (int64_t line = 0; line < kCb4Lines; ++line, codes += kCb4Line)
      for (int64_t at = 0; at < kCb4Line; at += 4 * kLanes) {
        const Ints bytes = load_ints(codes + at);
        store_ints(b + line * kCb4Quad + at, look_up(low_nibbles(bytes), kTable.values));
        store_ints(b + (line + kCb4Lines) * kCb4Quad + at,
                   look_up(high_nibbles(bytes), kTable.values));
      }
  const uint16_t* from_scales =
      from.scales + (panel * (k / from.group) + begin / from.group) * kCb4PanelCols;
  for (int64_t p = 0; p < depth; p += from.group) {
    widen_scales(from_scales, scales);
    from_scales += kCb4PanelCols;
    scales += 2 * kCb4PanelCols;
  }
}

/// Sums between two spans of depths stay side by side: rows of C are often a power of two apart,
/// where they would take each other's place in every cache.
template <class Codes>
void multiply_cb4_strip(const Cb4GemmArgs& args, int64_t row, int64_t end) {
  alignas(64) uint8_t decoded[kCb4Depth / 4 * kCb4Quad];
  alignas(64) float scales[kCb4Depth / kCb4Block * 2 * kCb4PanelCols] = {};
  alignas(64) float sums[kCb4StripRows * kCb4Sums];
  const int64_t group = args.b.group, groups = args.k / group;
  for (int64_t col = 0; col < args.n; col += 2 * kCb4PanelCols) {
    for (int64_t begin = 0; begin < args.k; begin += kCb4Depth) {
      const int64_t depth = args.k - begin < kCb4Depth ? args.k - begin : kCb4Depth;
      for (int64_t half = 0; half < 2 && col + half * kCb4PanelCols < args.n; ++half)
        decode_cb4_panel<Codes>(args.b, col / kCb4PanelCols + half, args.k, begin, depth,
                                decoded + half * kCb4Line, scales + half * kCb4PanelCols);
      const bool last = begin + depth == args.k;
      for (int64_t i = row; i < end; i += Codes::kRows) {
        float* const kept = sums + (i - row) * kCb4Sums;
        const Cb4Tile tile = {depth / group,
                              group / kCb4Block,
                              args.a + i * args.a_row_stride + begin,
                              args.a_row_stride,
                              args.a_scale + i * groups + begin / group,
                              args.a_offset + i * groups + begin / group,
                              groups,
                              decoded,
                              scales,
                              begin == 0 ? nullptr : kept,
                              last ? args.c + i * args.c_row_stride + col : kept,
                              last ? args.c_row_stride : kCb4Sums,
                              last ? args.n - col : kCb4Sums};
        run_cb4_tile_of<Codes, Codes::kRows>(end - i < Codes::kRows ? end - i : Codes::kRows, tile);
      }
    }
  }
}

/// Adds the products of one line of codes of each panel, decoded in registers, with four depths of
/// A and the four half a block behind them.
template <class Codes, int64_t rows, int64_t vecs>
[[gnu::always_inline]] inline void add_cb4_line(const int8_t* a, int64_t a_row,
                                                const uint8_t* codes, int64_t panel_codes,
                                                Ints (&sums)[rows][vecs]) {
  static constexpr Cb4Table kTable = cb4_table<Codes>();
  decltype(Codes::left(Ints{})) low[rows], high[rows];
#pragma GCC unroll 4
  for (int64_t i = 0; i < rows; ++i) {
    int32_t bytes;
    __builtin_memcpy(&bytes, a + i * a_row, 4);
    low[i] = Codes::left(splat_int(bytes));
    __builtin_memcpy(&bytes, a + i * a_row + kCb4Block / 2, 4);
    high[i] = Codes::left(splat_int(bytes));
  }
#pragma GCC unroll 8
  for (int64_t v = 0; v < vecs; ++v) {
    const Ints bytes = load_ints(codes + v / kCb4Vecs * panel_codes + v % kCb4Vecs * kLanes * 4);
    const Ints first = look_up(low_nibbles(bytes), kTable.values),
               second = look_up(high_nibbles(bytes), kTable.values);
#pragma GCC unroll 4
    for (int64_t i = 0; i < rows; ++i)
      sums[i][v] = Codes::add(Codes::add(sums[i][v], low[i], first), high[i], second);
  }
}

/// A few rows of A times `panels` panels: what is read from memory is decoded in registers.
template <class Codes, int64_t rows, int64_t panels>
[[gnu::noinline]] void multiply_cb4_few(const Cb4GemmArgs& args, int64_t col) {
  constexpr int64_t kVecs = panels * kCb4Vecs;
  const int64_t group = args.b.group, groups = args.k / group;
  const int64_t panel_codes = args.k / kCb4Block * kCb4BlockCodes;
  const uint8_t* codes = args.b.codes + col / kCb4PanelCols * panel_codes;
  const uint16_t* scales = args.b.scales + col * groups;
  const int8_t* a = args.a;
  Vec totals[rows][kVecs];
  for (auto& row : totals)
    for (Vec& total : row) total = zero();
  for (int64_t g = 0; g < groups; ++g) {
    Ints sums[rows][kVecs];
#pragma GCC unroll 4
    for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 8
      for (int64_t v = 0; v < kVecs; ++v) sums[i][v] = Codes::first(args.a_offset[i * groups + g]);
    for (int64_t p = 0; p < group; p += kCb4Block, a += kCb4Block / 2)
      for (int64_t line = 0; line < kCb4Lines; ++line, a += 4, codes += kCb4Line)
        add_cb4_line<Codes>(a, args.a_row_stride, codes, panel_codes, sums);
#pragma GCC unroll 8
    for (int64_t v = 0; v < kVecs; ++v) {
      const Vec scale =
          load_f16(scales + (v / kCb4Vecs * groups + g) * kCb4PanelCols + v % kCb4Vecs * kLanes);
#pragma GCC unroll 4
      for (int64_t i = 0; i < rows; ++i)
        totals[i][v] =
            fma(floats_of(sums[i][v]), scale * splat(args.a_scale[i * groups + g]), totals[i][v]);
    }
  }
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t v = 0; v < kVecs; ++v) {
      const int64_t left = args.n - col - v * kLanes;
      if (left > 0)
        store_some(args.c + i * args.c_row_stride + col + v * kLanes, totals[i][v], left);
    }
}

template <class Codes, int64_t rows>
void multiply_cb4_by_panels(const Cb4GemmArgs& args) {
  constexpr int64_t kPanels = kLanes == 8 ? 1 : rows == 1 ? 4 : rows == 2 ? 2 : 1;
  int64_t col = 0;
  for (; col + kPanels * kCb4PanelCols <= args.n; col += kPanels * kCb4PanelCols)
    multiply_cb4_few<Codes, rows, kPanels>(args, col);
  for (; col < args.n; col += kCb4PanelCols) multiply_cb4_few<Codes, rows, 1>(args, col);
}

template <class Codes>
void gemm_cb4_by(const Cb4GemmArgs& args) {
  if (args.m == 1) return multiply_cb4_by_panels<Codes, 1>(args);
  if (args.m == 2) return multiply_cb4_by_panels<Codes, 2>(args);
  if (args.m == 3) return multiply_cb4_by_panels<Codes, 3>(args);
  for (int64_t row = 0; row < args.m; row += kCb4StripRows)
    multiply_cb4_strip<Codes>(args, row,
                              args.m - row < kCb4StripRows ? args.m : row + kCb4StripRows);
}

inline void quantize_signed_group(const float* x, int64_t size, int8_t* y, float& scale) {
  constexpr int32_t kInfinity = 0x7f800000;  // NaN stands above it
  Ints bits = splat_int(0);
  for_each_vec(size, [&](int64_t i, int64_t count) {
    bits = max_ints(bits, magnitude_bits(load_some(x + i, count)));
  });
  const int32_t most_bits = largest_int(bits);
  float most;
  __builtin_memcpy(&most, &most_bits, sizeof most);
  const bool finite = most_bits < kInfinity;
  scale = finite ? 0.0f : __builtin_nanf("");
  const bool nothing = !finite || most <= kNothing;
  if (!nothing) scale = most / 127;
  const Vec factor = splat(nothing ? 0.0f : 127 / most);
  for_each_vec(size, [&](int64_t i, int64_t count) {
    store_signed_bytes(y + i, finite ? load_some(x + i, count) * factor : zero(), count);
  });
}

inline void quantize_signed(const float* x, int64_t x_stride, int8_t* y, int64_t y_stride,
                            float* scale, int32_t* offset, int64_t group, int64_t rows,
                            int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride)
    for (int64_t begin = 0; begin < cols; begin += group, ++scale, ++offset) {
      quantize_signed_group(x + begin, group, y + begin, *scale);
      int32_t sum = 0;
      for (int64_t i = begin; i < begin + group; ++i) sum += y[i];
      *offset = -128 * sum;
    }
}

}  // namespace
}  // namespace cupel

// Matrix product by packed blocks. After Goto and van de Geijn 2008; BLIS, Van Zee and van de Geijn
// 2015.
#pragma once

#include <cstdint>

#include "kernels/blocking.h"
#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

constexpr int64_t kTileCols = 2 * kLanes;
constexpr int64_t kBlockRows = kMaxBlockRows / kTileRows * kTileRows;

inline const void* offset(const void* base, Element type, int64_t at) {
  if (type == Element::f32) return static_cast<const float*>(base) + at;
  return static_cast<const uint16_t*>(base) + at;
}
inline void* offset(void* base, Element type, int64_t at) {
  return const_cast<void*>(offset(static_cast<const void*>(base), type, at));
}

// ---- packing: a panel holds kTileRows rows of A or kTileCols columns of B, depth after depth ----

/// Lanes run along memory. All panels of a few depths are written before the next are read, so that
/// each cache line is read once however far apart the depths lie.
template <Element type, int64_t width>
void pack_along_lanes(const void* source, int64_t at, int64_t depth_stride, int64_t lanes,
                      int64_t depth, float* panels) {
  constexpr int64_t kRead = (width + kLanes - 1) / kLanes * kLanes;
  // What is read past the last lane goes nowhere; what is written past a panel's width is
  // overwritten by its next depth. So the last depth, and what ends memory, go one by one.
  const int64_t overread = kRead - (lanes - 1) % width - 1;
  const int64_t unsafe = depth_stride > 0 ? (overread + depth_stride - 1) / depth_stride : depth;
  const int64_t whole = depth - (unsafe > 1 ? unsafe : 1);
  for (int64_t begin = 0; begin < whole; begin += kDepthsTogether) {
    const int64_t end = begin + kDepthsTogether < whole ? begin + kDepthsTogether : whole;
    for (int64_t first = 0; first < lanes; first += width) {
      float* to = panels + first * depth + begin * width;
      int64_t from = at + begin * depth_stride + first;
      for (int64_t p = begin; p < end; ++p, from += depth_stride, to += width) {
        __builtin_prefetch(offset(source, type, from + kDepthsTogether * depth_stride));
        for (int64_t lane = 0; lane < width; lane += kLanes)
          store(to + lane, load_as<type>(source, from + lane));
      }
    }
  }
  for (int64_t p = whole > 0 ? whole : 0; p < depth; ++p)
    for (int64_t lane = 0; lane < (lanes + width - 1) / width * width; ++lane)
      panels[lane / width * width * depth + p * width + lane % width] =
          lane < lanes ? element_as<type>(source, at + p * depth_stride + lane) : 0.0f;
}

/// One panel, turned where depth runs along memory, else element by element: panel[p * width +
/// lane] = source[lane * lane_stride + p * depth_stride]. May write kLanes floats past the panel's
/// end.
template <Element type, int64_t width>
void pack_panel(const void* source, int64_t at, int64_t lane_stride, int64_t depth_stride,
                int64_t lanes, int64_t depth, float* panel) {
  int64_t packed = 0;  // depths done
  for (; depth_stride == 1 && packed + kLanes <= depth; packed += kLanes) {
    for (int64_t lane = 0; lane < width; lane += kLanes) {
      Vec square[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) {
        const bool inside = lane + i < lanes;
        square[i] = inside ? load_as<type>(source, at + (lane + i) * lane_stride + packed) : zero();
      }
      transpose(square);
      for (int64_t i = 0; i < kLanes; ++i) store(panel + (packed + i) * width + lane, square[i]);
    }
  }
  for (; packed < depth; ++packed)
    for (int64_t lane = 0; lane < width; ++lane)
      panel[packed * width + lane] =
          lane < lanes ? element_as<type>(source, at + lane * lane_stride + packed * depth_stride)
                       : 0.0f;
}

/// Panels one after the other: ceil(lanes / width) of them, each width * depth floats; in lanes
/// past the last there may be anything.
template <Element type, int64_t width>
void pack_as(const void* source, int64_t at, int64_t lane_stride, int64_t depth_stride,
             int64_t lanes, int64_t depth, float* panels) {
  if (lane_stride == 1)
    return pack_along_lanes<type, width>(source, at, depth_stride, lanes, depth, panels);
  for (int64_t lane = 0; lane < lanes; lane += width) {
    const int64_t here = lanes - lane < width ? lanes - lane : width;
    pack_panel<type, width>(source, at + lane * lane_stride, lane_stride, depth_stride, here, depth,
                            panels + lane * depth);
  }
}
template <int64_t width>
void pack(const void* source, Element type, int64_t at, int64_t lane_stride, int64_t depth_stride,
          int64_t lanes, int64_t depth, float* panels) {
  const auto as = type == Element::f32   ? pack_as<Element::f32, width>
                  : type == Element::f16 ? pack_as<Element::f16, width>
                                         : pack_as<Element::bf16, width>;
  as(source, at, lane_stride, depth_stride, lanes, depth, panels);
}

/// How elements stand in the 32-bit lanes that tiles multiply: here one a lane, as a float.
struct FloatLanes {
  static constexpr Element kInPlace = Element::f32;  // the type that needs no packing
  static constexpr int64_t kDepth = 1;               // elements of depth in a lane
  static Vec multiply_add(Vec a, Vec b, Vec sum) { return fma(a, b, sum); }
  static void round_bf16(uint16_t* to, Vec x) { store_bf16(to, x); }
  template <int64_t width>
  static void pack_panels(const void* source, Element type, int64_t at, int64_t lane_stride,
                          int64_t depth_stride, int64_t lanes, int64_t depth, float* panels) {
    pack<width>(source, type, at, lane_stride, depth_stride, lanes, depth, panels);
  }
};

// ---- the tile: rows x (vecs * kLanes) sums held in registers over the depth of a block ----

/// A lane in memory, whatever elements it holds.
using Lane [[gnu::may_alias]] = float;

/// A(i, p) at a[i * a_row + p * a_col]; B's panel at b; C gets `cols` of the columns.
struct Tile {
  int64_t depth;  // in lanes, as a_row and a_col
  const Lane* a;
  int64_t a_row, a_col;
  const float* b;
  void* c = nullptr;
  int64_t c_row = 0;
  Element c_type = Element::f32;
  const float* earlier = nullptr;  // sums to add first
  int64_t earlier_row = 0;
  int64_t cols = 0;
};

template <class Lanes>
inline void store_sums(void* c, Element type, Vec sums) {
  if (type == Element::f32) return store(static_cast<float*>(c), sums);
  if (type == Element::f16) return store_f16(static_cast<uint16_t*>(c), sums);
  Lanes::round_bf16(static_cast<uint16_t*>(c), sums);
}

/// Sums of a tile that reaches past the last column of C.
template <class Lanes>
[[gnu::noinline]] void store_edge(const Tile& tile, int64_t rows, const Vec* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < tile.cols; j += kLanes, ++sums) {
      const int64_t count = tile.cols - j < kLanes ? tile.cols - j : kLanes;
      Vec total = *sums;
      if (tile.earlier) total = load_some(tile.earlier + i * tile.earlier_row + j, count) + total;
      void* c = offset(tile.c, tile.c_type, i * tile.c_row + j);
      if (tile.c_type == Element::f32) {
        store_some(static_cast<float*>(c), total, count);
        continue;
      }
      uint16_t last[kLanes];
      store_sums<Lanes>(last, tile.c_type, total);
      for (int64_t lane = 0; lane < count; ++lane) static_cast<uint16_t*>(c)[lane] = last[lane];
    }
  }
}

template <class Lanes, Element type, int64_t rows, int64_t vecs>
inline void store_tile(const Tile& tile, const Vec (&sums)[rows][vecs]) {
  const float* earlier = tile.earlier;
  char* c = static_cast<char*>(tile.c);
  const int64_t earlier_row = tile.earlier_row, size = type == Element::f32 ? 4 : 2;
  const int64_t c_row = tile.c_row * size;
#pragma GCC unroll 16
  for (int64_t i = 0; i < rows; ++i, c += c_row) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < vecs; ++v) {
      Vec total = sums[i][v];
      if (earlier) total = load(earlier + i * earlier_row + v * kLanes) + total;
      store_sums<Lanes>(c + v * kLanes * size, type, total);
    }
  }
}

template <class Lanes, int64_t rows, int64_t vecs, bool packed>
[[gnu::noinline]] void run_tile(const Tile& tile) {
  Vec sums[rows][vecs] = {};
  const Lane* a = tile.a;
  const float* b = tile.b;
  for (int64_t i = 0; i < rows && tile.depth >= kPrefetchDepth; ++i)
    for (int64_t j = 0; j < vecs * kLanes; j += 16)
      __builtin_prefetch(offset(tile.c, tile.c_type, i * tile.c_row + j));
  const int64_t a_row = packed ? 1 : tile.a_row, a_col = packed ? kTileRows : tile.a_col;
  for (int64_t p = 0; p < tile.depth; ++p, a += a_col, b += kTileCols) {
    Vec right[vecs];
#pragma GCC unroll 2
    for (int64_t v = 0; v < vecs; ++v) right[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int64_t i = 0; i < rows; ++i) {
      const Vec left = splat(a[i * a_row]);
#pragma GCC unroll 2
      for (int64_t v = 0; v < vecs; ++v)
        sums[i][v] = Lanes::multiply_add(left, right[v], sums[i][v]);
    }
  }
  if (tile.cols < vecs * kLanes) {
    Vec copy[rows * vecs];  // so that `sums` itself needs no address and stays in registers
#pragma GCC unroll 32
    for (int64_t i = 0; i < rows * vecs; ++i) copy[i] = sums[i / vecs][i % vecs];
    store_edge<Lanes>(tile, rows, copy);
  } else if (tile.c_type == Element::f32) {
    store_tile<Lanes, Element::f32>(tile, sums);
  } else if (tile.c_type == Element::bf16) {
    store_tile<Lanes, Element::bf16>(tile, sums);
  } else {
    store_tile<Lanes, Element::f16>(tile, sums);
  }
}

template <class Lanes, int64_t rows, int64_t vecs, bool packed>
inline void run_tile_of(int64_t wanted, const Tile& tile) {
  if constexpr (rows > 0) {
    if (wanted == rows) {
      run_tile<Lanes, rows, vecs, packed>(tile);
    } else {
      run_tile_of<Lanes, rows - 1, vecs, packed>(wanted, tile);
    }
  }
}

/// C[rows, cols] (+)= A[rows, depth] · B. B's panels stand b_panel floats apart; A is packed in
/// panels, or read where it lies. trim(i, j, tile) may shorten the tile whose corner is C(i, j),
/// and returns whether anything is left of it.
template <class Lanes, bool packed, class Trim>
inline void run_tiles(int64_t rows, int64_t cols, const Tile& corner, int64_t b_panel, Trim trim) {
  for (int64_t j = 0; j < cols; j += kTileCols) {
    for (int64_t i = 0; i < rows; i += kTileRows) {
      Tile tile = corner;
      tile.a += i * (packed ? tile.depth : tile.a_row);
      tile.b += j / kTileCols * b_panel;
      tile.c = offset(tile.c, tile.c_type, i * tile.c_row + j);
      if (tile.earlier) tile.earlier += i * tile.earlier_row + j;
      tile.cols = cols - j;
      if (!trim(i, j, tile)) continue;
      const int64_t here = rows - i < kTileRows ? rows - i : kTileRows;
      if (tile.cols > kLanes) {
        run_tile_of<Lanes, kTileRows, 2, packed>(here, tile);
      } else {
        run_tile_of<Lanes, kTileRows, 1, packed>(here, tile);
      }
    }
  }
}

// ---- the product ----

/// Whether A's rows can be multiplied where they lie: whole lanes, and not so far apart that a
/// tile's rows fall on few sets of L1.
template <class Lanes>
inline bool in_place(const GemmArgs& args) {
  constexpr int64_t kRowBytes = 4 / Lanes::kDepth;
  return args.a_type == Lanes::kInPlace && args.a_col_stride == 1 && args.k % Lanes::kDepth == 0 &&
         args.a_row_stride % Lanes::kDepth == 0 && reinterpret_cast<uintptr_t>(args.a) % 4 == 0 &&
         args.a_row_stride * kRowBytes % 2048 != 0;
}

/// Elements of depth before block `block` of `blocks`: equal blocks, from k alone.
template <class Lanes>
inline int64_t block_begin(int64_t k, int64_t block, int64_t blocks) {
  return block == blocks ? k : k * block / blocks / Lanes::kDepth * Lanes::kDepth;
}

/// One strip of rows [row, row + rows) of C and one block of columns [col, col + cols).
template <class Lanes>
inline void gemm_block(const GemmArgs& args, float* workspace, int64_t row, int64_t rows,
                       int64_t col, int64_t cols, int64_t blocks) {
  float* b_block = workspace;
  float* a_block = workspace + kABlockAt;
  float* sums = workspace + kCBlockAt;
  const bool direct = args.c_type == Element::f32, unpacked = in_place<Lanes>(args);
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = block_begin<Lanes>(args.k, block, blocks),
                  depth = block_begin<Lanes>(args.k, block + 1, blocks) - begin;
    Lanes::template pack_panels<kTileCols>(
        args.b, args.b_type, col * args.b_col_stride + begin * args.b_row_stride, args.b_col_stride,
        args.b_row_stride, cols, depth, b_block);
    for (int64_t i = 0; i < rows; i += kBlockRows) {
      const int64_t here = rows - i < kBlockRows ? rows - i : kBlockRows;
      const int64_t a_at = (row + i) * args.a_row_stride + begin * args.a_col_stride;
      Tile tile = {};
      tile.depth = (depth + Lanes::kDepth - 1) / Lanes::kDepth;
      tile.b = b_block;
      void* c = offset(args.c, args.c_type, (row + i) * args.c_row_stride + col);
      const bool last = direct || block + 1 == blocks;
      tile.c = last ? c : sums + i * cols;
      tile.c_row = last ? args.c_row_stride : cols;
      tile.c_type = last ? args.c_type : Element::f32;
      if (args.accumulate || block > 0) {
        tile.earlier = direct ? static_cast<float*>(c) : sums + i * cols;
        tile.earlier_row = direct ? args.c_row_stride : cols;
      }
      const int64_t panel = kTileCols * tile.depth;
      const auto whole = [](int64_t, int64_t, Tile&) { return true; };
      if (unpacked) {
        tile.a = static_cast<const Lane*>(args.a) + a_at / Lanes::kDepth;
        tile.a_row = args.a_row_stride / Lanes::kDepth;
        tile.a_col = 1;
        run_tiles<Lanes, false>(here, cols, tile, panel, whole);
      } else {
        Lanes::template pack_panels<kTileRows>(args.a, args.a_type, a_at, args.a_row_stride,
                                               args.a_col_stride, here, depth, a_block);
        tile.a = a_block;
        run_tiles<Lanes, true>(here, cols, tile, panel, whole);
      }
    }
  }
}

template <class Lanes>
void gemm_by(const GemmArgs& args, void* workspace) {
  constexpr int64_t kDepth = kBlockDepth * Lanes::kDepth;
  const int64_t blocks = args.k > 0 ? (args.k + kDepth - 1) / kDepth : 1;
  // Sums of several blocks wait in the workspace for their rounding.
  const int64_t strip = args.c_type == Element::f32 || blocks == 1 ? args.m : kStripRows;
  for (int64_t row = 0; row < args.m; row += strip) {
    const int64_t rows = args.m - row < strip ? args.m - row : strip;
    for (int64_t col = 0; col < args.n; col += kBlockCols) {
      const int64_t cols = args.n - col < kBlockCols ? args.n - col : kBlockCols;
      gemm_block<Lanes>(args, static_cast<float*>(workspace), row, rows, col, cols, blocks);
    }
  }
}

}  // namespace
}  // namespace cupel

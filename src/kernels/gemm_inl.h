// Matrix product by packed blocks (Goto and van de Geijn 2008; BLIS, Van Zee and van de Geijn
// 2015).
#pragma once

#include <cstdint>

#include "kernels/blocking.h"
#include "kernels/elementwise_inl.h"
#include "kernels/kernels.h"

namespace cupel {
namespace {

constexpr int64_t kTileCols = 2 * kLanes;
constexpr int64_t kBlockRows = kMaxBlockRows / kTileRows * kTileRows;

// ---- packing: a panel holds kTileRows rows of A or kTileCols columns of B, depth after depth ----

/// panel[p * width + lane] = source[lane * lane_stride + p * depth_stride] as float; lanes past
/// `lanes` hold anything. May write kLanes floats past the panel's end.
template <Element type, int64_t width>
void pack_panel(const void* source, int64_t at, int64_t lane_stride, int64_t depth_stride,
                int64_t lanes, int64_t depth, float* panel) {
  constexpr int64_t kWidthRead = (width + kLanes - 1) / kLanes * kLanes;
  int64_t packed = 0;  // depths done
  // Where width is no multiple of kLanes, each store's excess is overwritten by the next depth.
  if (lane_stride == 1) {
    const int64_t last_unsafe =
        depth_stride > 0 ? (kWidthRead - lanes + depth_stride - 1) / depth_stride : depth;
    for (; packed < depth - last_unsafe; ++packed)
      for (int64_t lane = 0; lane < width; lane += kLanes)
        store(panel + packed * width + lane,
              load_as<type>(source, at + packed * depth_stride + lane));
  } else if (depth_stride == 1) {
    for (; packed + kLanes <= depth; packed += kLanes) {
      for (int64_t lane = 0; lane < width; lane += kLanes) {
        Vec square[kLanes];
        for (int64_t i = 0; i < kLanes; ++i) {
          const bool inside = lane + i < lanes;
          square[i] =
              inside ? load_as<type>(source, at + (lane + i) * lane_stride + packed) : zero();
        }
        transpose(square);
        for (int64_t i = 0; i < kLanes; ++i) store(panel + (packed + i) * width + lane, square[i]);
      }
    }
  }
  for (; packed < depth; ++packed)
    for (int64_t lane = 0; lane < width; ++lane)
      panel[packed * width + lane] =
          lane < lanes ? element_as<type>(source, at + lane * lane_stride + packed * depth_stride)
                       : 0.0f;
}

/// Panels one after the other: ceil(lanes / width) of them, each width * depth floats.
template <int64_t width>
void pack(const void* source, Element type, int64_t at, int64_t lane_stride, int64_t depth_stride,
          int64_t lanes, int64_t depth, float* panels) {
  const auto one = type == Element::f32   ? pack_panel<Element::f32, width>
                   : type == Element::f16 ? pack_panel<Element::f16, width>
                                          : pack_panel<Element::bf16, width>;
  for (int64_t lane = 0; lane < lanes; lane += width) {
    const int64_t here = lanes - lane < width ? lanes - lane : width;
    one(source, at + lane * lane_stride, lane_stride, depth_stride, here, depth,
        panels + lane * depth);
  }
}

// ---- the tile: rows x (vecs * kLanes) sums held in registers over the depth of a block ----

/// A(i, p) at a[i * a_row + p * a_col]; B's panel at b; C gets `cols` of the columns.
struct Tile {
  int64_t depth;
  const float* a;
  int64_t a_row, a_col;
  const float* b;
  float* c;
  int64_t c_row, cols;
  bool add;
};

/// Sums of a tile that reaches past the last column of C.
[[gnu::noinline]] void store_edge(const Tile& tile, int64_t rows, const Vec* sums) {
  for (int64_t i = 0; i < rows; ++i) {
    float* c = tile.c + i * tile.c_row;
    for (int64_t j = 0; j < tile.cols; j += kLanes, c += kLanes, ++sums) {
      const int64_t count = tile.cols - j;
      store_some(c, tile.add ? load_some(c, count) + *sums : *sums, count);
    }
  }
}

template <int64_t rows, int64_t vecs, bool packed>
[[gnu::noinline]] void run_tile(const Tile& tile) {
  Vec sums[rows][vecs] = {};
  const float *a = tile.a, *b = tile.b;
  for (int64_t i = 0; i < rows && tile.depth >= kPrefetchDepth; ++i)
    for (int64_t j = 0; j < vecs * kLanes; j += 16) __builtin_prefetch(tile.c + i * tile.c_row + j);
  const int64_t a_row = packed ? 1 : tile.a_row, a_col = packed ? kTileRows : tile.a_col;
  for (int64_t p = 0; p < tile.depth; ++p, a += a_col, b += kTileCols) {
    Vec right[vecs];
#pragma GCC unroll 2
    for (int64_t v = 0; v < vecs; ++v) right[v] = load(b + v * kLanes);
#pragma GCC unroll 16
    for (int64_t i = 0; i < rows; ++i) {
      const Vec left = splat(a[i * a_row]);
#pragma GCC unroll 2
      for (int64_t v = 0; v < vecs; ++v) sums[i][v] = fma(left, right[v], sums[i][v]);
    }
  }
  if (tile.cols < vecs * kLanes) {
    Vec copy[rows * vecs];  // so that `sums` itself needs no address and stays in registers
#pragma GCC unroll 32
    for (int64_t i = 0; i < rows * vecs; ++i) copy[i] = sums[i / vecs][i % vecs];
    return store_edge(tile, rows, copy);
  }
#pragma GCC unroll 16
  for (int64_t i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int64_t v = 0; v < vecs; ++v) {
      float* c = tile.c + i * tile.c_row + v * kLanes;
      store(c, tile.add ? load(c) + sums[i][v] : sums[i][v]);
    }
  }
}

template <int64_t rows, int64_t vecs, bool packed>
inline void run_tile_of(int64_t wanted, const Tile& tile) {
  if constexpr (rows > 0) {
    if (wanted == rows) {
      run_tile<rows, vecs, packed>(tile);
    } else {
      run_tile_of<rows - 1, vecs, packed>(wanted, tile);
    }
  }
}

/// C[rows, cols] (+)= A[rows, depth] · B. B's panels stand b_panel floats apart; A is packed in
/// panels, or read where it lies. trim(i, j, tile) may shorten the tile whose corner is C(i, j),
/// and returns whether anything is left of it.
template <bool packed, class Trim>
inline void run_tiles(int64_t rows, int64_t cols, const Tile& corner, int64_t b_panel, Trim trim) {
  for (int64_t j = 0; j < cols; j += kTileCols) {
    for (int64_t i = 0; i < rows; i += kTileRows) {
      Tile tile = corner;
      tile.a += i * (packed ? tile.depth : tile.a_row);
      tile.b += j / kTileCols * b_panel;
      tile.c += i * tile.c_row + j;
      tile.cols = cols - j;
      if (!trim(i, j, tile)) continue;
      const int64_t here = rows - i < kTileRows ? rows - i : kTileRows;
      if (tile.cols > kLanes) {
        run_tile_of<kTileRows, 2, packed>(here, tile);
      } else {
        run_tile_of<kTileRows, 1, packed>(here, tile);
      }
    }
  }
}

// ---- the product ----

inline void* c_row_at(const GemmArgs& args, int64_t row, int64_t col) {
  const int64_t at = row * args.c_row_stride + col;
  if (args.c_type == Element::f32) return static_cast<float*>(args.c) + at;
  return static_cast<uint16_t*>(args.c) + at;
}

/// One strip of rows [row, row + rows) of C and one block of columns [col, col + cols).
inline void gemm_block(const GemmArgs& args, float* workspace, int64_t row, int64_t rows,
                       int64_t col, int64_t cols) {
  float* b_block = workspace;
  float* a_block = workspace + kABlockAt;
  float* c_block = workspace + kCBlockAt;
  const bool direct = args.c_type == Element::f32;
  // Equal blocks of depth, from k alone: so is the order of every sum.
  const int64_t blocks = args.k > 0 ? (args.k + kBlockDepth - 1) / kBlockDepth : 1;
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t begin = args.k * block / blocks, depth = args.k * (block + 1) / blocks - begin;
    pack<kTileCols>(args.b, args.b_type, col * args.b_col_stride + begin * args.b_row_stride,
                    args.b_col_stride, args.b_row_stride, cols, depth, b_block);
    for (int64_t i = 0; i < rows; i += kBlockRows) {
      const int64_t here = rows - i < kBlockRows ? rows - i : kBlockRows;
      pack<kTileRows>(args.a, args.a_type,
                      (row + i) * args.a_row_stride + begin * args.a_col_stride, args.a_row_stride,
                      args.a_col_stride, here, depth, a_block);
      Tile tile = {depth, a_block, 0, 0, b_block, nullptr, 0, 0, args.accumulate || block > 0};
      tile.c = direct ? static_cast<float*>(c_row_at(args, row + i, col)) : c_block + i * cols;
      tile.c_row = direct ? args.c_row_stride : cols;
      run_tiles<true>(here, cols, tile, kTileCols * depth,
                      [](int64_t, int64_t, Tile&) { return true; });
      if (direct || block + 1 < blocks) continue;
      for (int64_t r = i; r < i + here; ++r)
        to_16bit(c_block + r * cols, c_row_at(args, row + r, col), args.c_type, cols);
    }
  }
}

void gemm(const GemmArgs& args, void* workspace) {
  const int64_t strip = args.c_type == Element::f32 ? args.m : kStripRows;
  for (int64_t row = 0; row < args.m; row += strip) {
    const int64_t rows = args.m - row < strip ? args.m - row : strip;
    for (int64_t col = 0; col < args.n; col += kBlockCols) {
      const int64_t cols = args.n - col < kBlockCols ? args.n - col : kBlockCols;
      gemm_block(args, static_cast<float*>(workspace), row, rows, col, cols);
    }
  }
}

}  // namespace
}  // namespace cupel

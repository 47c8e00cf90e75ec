// The bf16 slots of the row amx: a product by tiles of 16 x 16 sums (Intel SDM volume 2,
// TDPBF16PS); and its 8-bit slot, whose loops stand in amx_int8_inl.h.
#include "kernels/bf16_pairs_inl.h"

// The loops over its Vec.
#include "kernels/amx_int8_inl.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

constexpr int64_t kTileSide = 16;                      // rows of a tile, and 32-bit lanes of a row
constexpr int64_t kTileDepth = 2 * kTileSide;          // bf16 elements of depth in a tile
constexpr int64_t kTileLanes = kTileSide * kTileSide;  // 1 KiB
constexpr int64_t kRowBytes = 64;
constexpr int64_t kStripTiles = kMaxBlockRows / kTileSide;  // of A, packed at once

/// What LDTILECFG reads: tiles 0 to 3 are sums, 4 and 5 A's, 6 and 7 B's, all of 16 rows of 64
/// bytes.
struct alignas(64) TileConfig {
  uint8_t palette, start_row, reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};
constexpr TileConfig kTileConfig = {
    1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

/// Sixteen rows of A: where the first tile stands, bytes between its rows, bytes to the next depth.
struct TileRows {
  const char* at;
  int64_t row_bytes, step_bytes;
};

/// sums[16 or 32, 16 or 32] = A · B over `steps` tiles of depth. B's panel holds 32 lanes a pair of
/// depths.
template <bool two_rows, bool two_cols>
[[gnu::noinline]] void sum_tiles(const TileRows& upper, const TileRows& lower, const float* b,
                                 int64_t steps, void* sums, int64_t sums_row_bytes) {
  __asm__ volatile("" ::: "memory");  // GCC's tile loads do not tell it what memory they read
  const char *a0 = upper.at, *a1 = lower.at;
  _tile_zero(0);
  if constexpr (two_cols) _tile_zero(1);
  if constexpr (two_rows) _tile_zero(2);
  if constexpr (two_rows && two_cols) _tile_zero(3);
  for (int64_t step = 0; step < steps; ++step, b += kTileSide * kTileCols) {
    _tile_loadd(4, a0, upper.row_bytes);
    _tile_loadd(6, b, 2 * kRowBytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (two_cols) {
      _tile_loadd(7, b + kTileSide, 2 * kRowBytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (two_rows) {
      _tile_loadd(5, a1, lower.row_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (two_cols) _tile_dpbf16ps(3, 5, 7);
    }
    a0 += upper.step_bytes;
    a1 += lower.step_bytes;
  }
  char* to = static_cast<char*>(sums);
  _tile_stored(0, to, sums_row_bytes);
  if constexpr (two_cols) _tile_stored(1, to + kRowBytes, sums_row_bytes);
  if constexpr (two_rows) _tile_stored(2, to + kTileSide * sums_row_bytes, sums_row_bytes);
  if constexpr (two_rows && two_cols)
    _tile_stored(3, to + kTileSide * sums_row_bytes + kRowBytes, sums_row_bytes);
}

/// Where the sums of a block of depth go, and what is added to them first.
struct Target {
  void* c;
  Element c_type;
  int64_t c_row;
  const float* earlier;  // or null
  int64_t earlier_row;
  Target at(int64_t i, int64_t j) const {
    return {offset(c, c_type, i * c_row + j), c_type, c_row,
            earlier ? earlier + i * earlier_row + j : nullptr, earlier_row};
  }
};

inline void store_lanes(void* to, Element type, Vec x, int64_t count) {
  if (type == Element::f32) return store_some(static_cast<float*>(to), x, count);
  const __m256i bits = type == Element::bf16
                           ? (__m256i)_mm512_cvtneps_pbh(x)
                           : _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  _mm256_mask_storeu_epi16(to, count >= kLanes ? __mmask16{0xffff} : first_lanes(count), bits);
}

/// One pair of row tiles times one panel.
void multiply(const TileRows& upper, const TileRows& lower, int64_t rows, const float* b,
              int64_t cols, int64_t steps, const Target& target) {
  const bool two_rows = rows > kTileSide, two_cols = cols > kTileSide;
  const auto sum = two_rows ? (two_cols ? sum_tiles<true, true> : sum_tiles<true, false>)
                            : (two_cols ? sum_tiles<false, true> : sum_tiles<false, false>);
  const bool whole = rows % kTileSide == 0 && cols % kTileSide == 0;
  if (whole && target.c_type == Element::f32 && target.earlier == nullptr)
    return sum(upper, lower, b, steps, target.c, target.c_row * 4);
  alignas(64) float sums[2 * kTileSide * kTileCols];
  sum(upper, lower, b, steps, sums, 2 * kRowBytes);
  for (int64_t i = 0; i < rows; ++i) {
    const Target row = target.at(i, 0);
    for (int64_t j = 0; j < cols; j += kLanes) {
      Vec total = load(sums + i * kTileCols + j);
      if (row.earlier) total = load_some(row.earlier + j, cols - j) + total;
      store_lanes(offset(row.c, row.c_type, j), row.c_type, total, cols - j);
    }
  }
}

/// Up to sixteen rows of A as tiles one after the other, zeros past the last row and depth.
void pack_rows(const uint16_t* source, int64_t row_stride, int64_t depth_stride, int64_t rows,
               int64_t depth, float* tiles) {
  for (int64_t p = 0; p < depth; p += kTileDepth, tiles += kTileLanes) {
    const int64_t left = depth - p < kTileDepth ? depth - p : kTileDepth;
    const uint16_t* from = source + p * depth_stride;
    if (depth_stride == 1) {
      for (int64_t i = 0; i < kTileSide; ++i)
        store(tiles + i * kLanes,
              i < rows ? _mm512_castsi512_ps(load_32(from + i * row_stride, left)) : zero());
      continue;
    }
    for (int64_t i = (left + 1) / 2; i < kTileSide; ++i) store(tiles + i * kLanes, zero());
    if (row_stride == 1) {
      pack_two_depths<kTileSide>(from, depth_stride, rows, left, tiles);
    } else {
      pack_any<kTileSide>(from, row_stride, depth_stride, rows, left, tiles);
    }
    Vec square[kLanes];
    for (int64_t i = 0; i < kLanes; ++i) square[i] = load(tiles + i * kLanes);
    transpose(square);
    for (int64_t i = 0; i < kLanes; ++i) store(tiles + i * kLanes, square[i]);
  }
}

/// B's columns as panels of 32, depths past the last zero.
void pack_cols(const GemmArgs& args, int64_t col, int64_t cols, int64_t begin, int64_t depth,
               int64_t panel, float* panels) {
  const int64_t used = (depth + 1) / 2 * kTileCols;
  for (int64_t j = 0; j < cols; j += kTileCols, panels += panel) {
    const int64_t here = cols - j < kTileCols ? cols - j : kTileCols;
    Bf16Pairs::pack_panels<kTileCols>(args.b, args.b_type,
                                      (col + j) * args.b_col_stride + begin * args.b_row_stride,
                                      args.b_col_stride, args.b_row_stride, here, depth, panels);
    for (int64_t i = used; i < panel; i += kLanes) store(panels + i, zero());
  }
}

/// Elements of depth before block `block` of `blocks`: nearly equal blocks of whole tiles.
inline int64_t tiles_begin(int64_t k, int64_t block, int64_t blocks) {
  const int64_t begin = (k * block / blocks + kTileDepth - 1) / kTileDepth * kTileDepth;
  return begin < k ? begin : k;
}

/// Up to kMaxBlockRows rows of A times the packed block of B.
void multiply_rows(const GemmArgs& args, int64_t row, int64_t rows, int64_t begin, int64_t depth,
                   const float* b, int64_t cols, float* a_block, const Target& target) {
  const int64_t steps = (depth + kTileDepth - 1) / kTileDepth,
                panel = steps * kTileSide * kTileCols;
  const uint16_t* a =
      static_cast<const uint16_t*>(args.a) + row * args.a_row_stride + begin * args.a_col_stride;
  const bool in_place = args.a_col_stride == 1 && depth % kTileDepth == 0 &&
                        args.a_row_stride % 1024 != 0;  // else a tile's rows share sets of L1
  TileRows tiles[kStripTiles + 1] = {};
  for (int64_t i = 0, at = 0; i < rows; i += kTileSide, ++at) {
    const uint16_t* from = a + i * args.a_row_stride;
    if (in_place && rows - i >= kTileSide) {
      tiles[at] = {reinterpret_cast<const char*>(from), 2 * args.a_row_stride, kRowBytes};
      continue;
    }
    float* to = a_block + at * steps * kTileLanes;
    pack_rows(from, args.a_row_stride, args.a_col_stride,
              rows - i < kTileSide ? rows - i : kTileSide, depth, to);
    tiles[at] = {reinterpret_cast<const char*>(to), kRowBytes, kTileLanes * 4};
  }
  for (int64_t j = 0; j < cols; j += kTileCols, b += panel) {
    for (int64_t i = 0, at = 0; i < rows; i += 2 * kTileSide, at += 2) {
      multiply(tiles[at], tiles[at + 1], rows - i < 2 * kTileSide ? rows - i : 2 * kTileSide, b,
               cols - j < kTileCols ? cols - j : kTileCols, steps, target.at(i, j));
    }
  }
}

void gemm_of_bf16(const GemmArgs& args, float* workspace) {
  constexpr int64_t kDepth = 2 * kBlockDepth;
  const int64_t blocks = args.k > 0 ? (args.k + kDepth - 1) / kDepth : 1;
  const bool direct = args.c_type == Element::f32;
  // Sums of several blocks wait in the workspace for their rounding.
  const int64_t strip = direct || blocks == 1 ? args.m : kStripRows;
  float* sums = workspace + kCBlockAt;
  for (int64_t top = 0; top < args.m; top += strip) {
    const int64_t end = args.m - top < strip ? args.m : top + strip;
    for (int64_t col = 0; col < args.n; col += kBlockCols) {
      const int64_t cols = args.n - col < kBlockCols ? args.n - col : kBlockCols;
      for (int64_t block = 0; block < blocks; ++block) {
        const int64_t begin = tiles_begin(args.k, block, blocks),
                      depth = tiles_begin(args.k, block + 1, blocks) - begin,
                      steps = (depth + kTileDepth - 1) / kTileDepth;
        pack_cols(args, col, cols, begin, depth, steps * kTileSide * kTileCols, workspace);
        const bool last = direct || block + 1 == blocks, adds = args.accumulate || block > 0;
        for (int64_t row = top; row < end; row += kMaxBlockRows) {
          void* c = offset(args.c, args.c_type, row * args.c_row_stride + col);
          float* waiting = direct ? static_cast<float*>(c) : sums + (row - top) * cols;
          const int64_t waiting_row = direct ? args.c_row_stride : cols;
          const Target target = {last ? c : waiting, last ? args.c_type : Element::f32,
                                 last ? args.c_row_stride : waiting_row, adds ? waiting : nullptr,
                                 waiting_row};
          multiply_rows(args, row, end - row < kMaxBlockRows ? end - row : kMaxBlockRows, begin,
                        depth, workspace, cols, workspace + kABlockAt, target);
        }
      }
    }
  }
}

void gemm(const GemmArgs& args, void* workspace) {
  if (args.a_type != Element::bf16 || args.b_type != Element::bf16)
    return kAvx512Row.gemm(args, workspace);
  _tile_loadconfig(&kTileConfig);
  gemm_of_bf16(args, static_cast<float*>(workspace));
  _tile_release();
}

void gemm_int8(const Int8GemmArgs& args) {
  _tile_loadconfig(&kTileConfig);
  gemm_int8_by_tiles(args);
  _tile_release();
}

}  // namespace

constinit const Kernels kAmxRow = {.name = "amx", .gemm = gemm, .gemm_int8 = gemm_int8};

}  // namespace cupel

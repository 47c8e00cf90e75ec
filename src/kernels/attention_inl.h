// Causal attention by blocks that never hold the whole score matrix. After FlashAttention-2, Dao
// 2023, algorithms 1 and 2.
#pragma once

#include <cstdint>

#include "kernels/blocking.h"
#include "kernels/gemm_inl.h"
#include "kernels/kernels.h"

namespace cupel {
namespace {

constexpr int64_t kQueryBlock = kMaxQueryBlock / kTileRows * kTileRows;
static_assert(kTileCols <= kMaxTileCols && kKeyBlock % kTileCols == 0);

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t whole_panels(int64_t lanes) {
  return (lanes + kTileCols - 1) / kTileCols * kTileCols;
}

/// Packs a length x dim matrix as the right operand: depth runs along its columns (by_column false:
/// so each position is a lane) or along its positions (each column is a lane). Returns where the
/// next may stand.
inline float* pack_operand(const float* x, int64_t stride, int64_t length, int64_t dim,
                           bool by_position, float* to) {
  if (by_position) {
    pack<kTileCols>(x, Element::f32, 0, stride, 1, length, dim, to);
    return to + whole_panels(length) * dim + kPackSlack;
  }
  pack<kTileCols>(x, Element::f32, 0, 1, stride, dim, length, to);
  return to + whole_panels(dim) * length + kPackSlack;
}

/// Rows [row, row + rows) against columns [col, col + cols) of the score matrix.
struct Patch {
  int64_t row, rows, col, cols;
};

/// scores = x[rows, dim] · yᵀ, what only lies above the diagonal left out. y is packed by position.
inline void score(const Patch& at, const float* x, int64_t x_stride, int64_t dim, const float* y,
                  float* scores) {
  const Tile corner = {dim,    x + at.row * x_stride, x_stride, 1, y + at.col * dim,
                       scores, kScoreStride};
  run_tiles<FloatLanes, false>(at.rows, at.cols, corner, kTileCols * dim,
                               [&](int64_t i, int64_t j, Tile& tile) {
                                 const int64_t seen = at.row + i + kTileRows - at.col - j;
                                 if (seen <= kLanes) tile.cols = least(tile.cols, kLanes);
                                 return seen > 0;
                               });
}

/// `tile` with its product added to what stands in `out`.
inline Tile sum_onto(float* out, int64_t out_stride, Tile tile) {
  tile.c = out;
  tile.c_row = tile.earlier_row = out_stride;
  tile.earlier = out;
  return tile;
}

/// out[rows, dim] += weights · y, where y (packed by column) has `length` positions and weights
/// above the diagonal are zero.
inline void gather(const Patch& at, const float* weights, const float* y, int64_t length,
                   int64_t dim, float* out, int64_t out_stride) {
  const Tile corner = sum_onto(out + at.row * out_stride, out_stride,
                               {at.cols, weights, kScoreStride, 1, y + at.col * kTileCols});
  run_tiles<FloatLanes, false>(at.rows, dim, corner, kTileCols * length,
                               [&](int64_t i, int64_t, Tile& tile) {
                                 tile.depth = least(tile.depth, at.row + i + kTileRows - at.col);
                                 return tile.depth > 0;
                               });
}

/// out[cols, dim] += weightsᵀ · x, likewise.
inline void scatter(const Patch& at, const float* weights, const float* x, int64_t length,
                    int64_t dim, float* out, int64_t out_stride) {
  const Tile corner = sum_onto(out + at.col * out_stride, out_stride,
                               {at.rows, weights, 1, kScoreStride, x + at.row * kTileCols});
  run_tiles<FloatLanes, false>(at.cols, dim, corner, kTileCols * length,
                               [&](int64_t j, int64_t, Tile& tile) {
                                 const int64_t above = most(0, at.col + j - at.row);
                                 tile.a += above * kScoreStride;
                                 tile.b += above * kTileCols;
                                 tile.depth -= above;
                                 return tile.depth > 0;
                               });
}

/// body(patch) for each block of columns that some row of [row, row + rows) sees, from left to
/// right.
template <class Body>
inline void for_each_patch(const AttentionArgs& args, int64_t row, Body body) {
  const int64_t rows = least(kQueryBlock, args.length - row);
  int64_t first = args.first ? row : 0;
  for (int64_t r = row; args.first && r < row + rows; ++r) first = least(first, args.first[r]);
  for (int64_t col = first / kKeyBlock * kKeyBlock; col < row + rows; col += kKeyBlock)
    body(Patch{row, rows, col, least(kKeyBlock, row + rows - col)});
}

/// The columns [begin, end) of a patch that row `row + r` sees, counted from the patch's first.
struct Visible {
  int64_t begin, end;
};
inline Visible visible(const AttentionArgs& args, const Patch& at, int64_t r) {
  const int64_t end = most(0, least(at.cols, at.row + r + 1 - at.col));
  const int64_t first = args.first ? args.first[at.row + r] : 0;
  return {least(most(0, first - at.col), end), end};
}
inline void clear(float* x, int64_t size) {
  for_each_vec(size, [&](int64_t i, int64_t count) { store_some(x + i, zero(), count); });
}
/// Zeros to the left, and to the right as far as a tile that holds the row can reach.
inline void clear_hidden(float* scores, const Visible& seen, int64_t cols) {
  clear(scores, seen.begin);
  clear(scores + seen.end, least(cols - seen.end, kTileRows));
}

inline void scale_row(float* x, float factor, int64_t size) {
  for_each_vec(size, [&](int64_t i, int64_t count) {
    store_some(x + i, load_some(x + i, count) * splat(factor), count);
  });
}

/// Scores become exp(score - top) with the row's running maximum; what the row has gathered so far
/// is rescaled to it. `total` is the running sum.
inline void softmax_row(float* scores, const Visible& seen, float scale, float& top, float& total,
                        float* out, int64_t v_dim) {
  const float lowest = -__builtin_inff();
  float* s = scores + seen.begin;
  const int64_t size = seen.end - seen.begin;
  if (size == 0) return;
  const Vec factor = splat(scale);
  Vec highest = splat(top);
  for_each_vec(size, [&](int64_t j, int64_t count) {
    const Vec scaled = load_some(s + j, count, lowest) * factor;
    highest = max(highest, scaled);
  });
  const float new_top = largest(highest);
  if (new_top != top && total > 0) {
    const float shrink = first_lane(exp(splat(top - new_top)));
    scale_row(out, shrink, v_dim);
    total *= shrink;
  }
  top = new_top;
  Vec sums = zero();
  for_each_vec(size, [&](int64_t j, int64_t count) {
    const Vec weight = exp(fma(load_some(s + j, count, lowest), factor, splat(-top)));
    sums = sums + weight;
    store_some(s + j, weight, count);
  });
  total += sum(sums);
}

void attention(const AttentionArgs& args, void* workspace) {
  float* scores = static_cast<float*>(workspace);
  float* keys = scores + kMaxQueryBlock * kScoreStride;
  float* values = pack_operand(args.k, args.k_stride, args.length, args.qk_dim, true, keys);
  pack_operand(args.v, args.v_stride, args.length, args.v_dim, false, values);
  for (int64_t row = 0; row < args.length; row += kQueryBlock) {
    const int64_t rows = least(kQueryBlock, args.length - row);
    float top[kQueryBlock], total[kQueryBlock] = {};
    for (int64_t r = 0; r < rows; ++r) {
      top[r] = -__builtin_inff();
      clear(args.out + (row + r) * args.out_stride, args.v_dim);
    }
    for_each_patch(args, row, [&](const Patch& at) {
      score(at, args.q, args.q_stride, args.qk_dim, keys, scores);
      for (int64_t r = 0; r < rows; ++r) {
        const Visible seen = visible(args, at, r);
        softmax_row(scores + r * kScoreStride, seen, args.scale, top[r], total[r],
                    args.out + (row + r) * args.out_stride, args.v_dim);
        clear_hidden(scores + r * kScoreStride, seen, at.cols);
      }
      gather(at, scores, values, args.length, args.v_dim, args.out, args.out_stride);
    });
    for (int64_t r = 0; r < rows; ++r) {
      scale_row(args.out + (row + r) * args.out_stride, 1.0f / total[r], args.v_dim);
      args.log_sum_exp[row + r] = top[r] + __builtin_logf(total[r]);
    }
  }
}

inline float dot(const float* x, const float* y, int64_t size) {
  Vec sums = zero();
  for_each_vec(size, [&](int64_t i, int64_t count) {
    sums = fma(load_some(x + i, count), load_some(y + i, count), sums);
  });
  return sum(sums);
}

/// scores become probabilities p; grad_p becomes the gradient of the unscaled scores, p·(grad_p -
/// mean)·scale.
inline void softmax_backward_row(float* scores, float* grad_p, const Visible& seen, float scale,
                                 float log_sum_exp, float mean) {
  const float lowest = -__builtin_inff();
  for_each_vec(seen.end - seen.begin, [&](int64_t j, int64_t count) {
    float *s = scores + seen.begin + j, *g = grad_p + seen.begin + j;
    const Vec p = exp(fma(load_some(s, count, lowest), splat(scale), splat(-log_sum_exp)));
    store_some(s, p, count);
    store_some(g, p * splat(scale) * (load_some(g, count) - splat(mean)), count);
  });
}

inline void clear_rows(float* x, int64_t stride, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r) clear(x + r * stride, cols);
}

void attention_backward(const AttentionArgs& args, void* workspace) {
  const int64_t length = args.length, qk_dim = args.qk_dim, v_dim = args.v_dim;
  float* scores = static_cast<float*>(workspace);
  float* grads = scores + kMaxQueryBlock * kScoreStride;
  float* key_lanes = grads + kMaxQueryBlock * kScoreStride;
  float* value_lanes = pack_operand(args.k, args.k_stride, length, qk_dim, true, key_lanes);
  float* keys = pack_operand(args.v, args.v_stride, length, v_dim, true, value_lanes);
  float* queries = pack_operand(args.k, args.k_stride, length, qk_dim, false, keys);
  float* grad_outs = pack_operand(args.q, args.q_stride, length, qk_dim, false, queries);
  pack_operand(args.grad_out, args.out_stride, length, v_dim, false, grad_outs);
  clear_rows(args.grad_q, args.q_stride, length, qk_dim);
  clear_rows(args.grad_k, args.k_stride, length, qk_dim);
  clear_rows(args.grad_v, args.v_stride, length, v_dim);
  for (int64_t row = 0; row < length; row += kQueryBlock) {
    for_each_patch(args, row, [&](const Patch& at) {
      score(at, args.q, args.q_stride, qk_dim, key_lanes, scores);
      score(at, args.grad_out, args.out_stride, v_dim, value_lanes, grads);
      for (int64_t r = 0; r < at.rows; ++r) {
        const Visible seen = visible(args, at, r);
        const int64_t out_at = (row + r) * args.out_stride;
        const float mean = dot(args.grad_out + out_at, args.out + out_at, v_dim);
        float *s = scores + r * kScoreStride, *g = grads + r * kScoreStride;
        softmax_backward_row(s, g, seen, args.scale, args.log_sum_exp[row + r], mean);
        clear_hidden(s, seen, at.cols);
        clear_hidden(g, seen, at.cols);
      }
      scatter(at, scores, grad_outs, length, v_dim, args.grad_v, args.v_stride);
      gather(at, grads, keys, length, qk_dim, args.grad_q, args.q_stride);
      scatter(at, grads, queries, length, qk_dim, args.grad_k, args.k_stride);
    });
  }
}

}  // namespace
}  // namespace cupel

#include "base/linalg.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "base/error.h"

namespace cupel {
namespace {

constexpr int64_t kBlock = 64, kDepth = 256, kTile = 4, kLanes = 8;

/// Element (i, j) at data[i * row_stride + j * col_stride]: a matrix or its transpose.
struct Operand {
  const double* data;
  int64_t row_stride, col_stride;
};
Operand plain(View<const double> view) { return {view.data, view.stride, 1}; }
Operand transposed(View<const double> view) { return {view.data, 1, view.stride}; }
View<const double> read_only(View<double> view) {
  return {view.data, view.rows, view.cols, view.stride};
}

template <class T>
View<T> part(View<T> view, int64_t row, int64_t col, int64_t rows, int64_t cols) {
  return {view.data + row * view.stride + col, rows, cols, view.stride};
}

/// A matrix of its own, zeros.
struct Matrix {
  Matrix(int64_t rows, int64_t cols)
      : items(static_cast<std::size_t>(rows * cols)), view{items.data(), rows, cols, cols} {}
  std::vector<double> items;
  View<double> view;
};

void copy(View<const double> from, View<double> to) {
  for (int64_t i = 0; i < from.rows; ++i) std::copy_n(from.row(i), from.cols, to.row(i));
}

void clear(View<double> view) {
  for (int64_t i = 0; i < view.rows; ++i) std::fill_n(view.row(i), view.cols, 0.0);
}

void clear_above_diagonal(View<double> view) {
  for (int64_t i = 0; i < view.rows; ++i) {
    std::fill(view.row(i) + i + 1, view.row(i) + view.cols, 0.0);
  }
}

/// Two doubles in a register: what every x86-64 has. g++ makes none of loops this short at -O2.
typedef double Pair __attribute__((vector_size(16)));
Pair pair_at(const double* at) {
  Pair result;
  std::memcpy(&result, at, sizeof result);
  return result;
}
Pair both(double value) { return Pair{value, value}; }

/// out[4,4] = the sum over p of a[p,4]ᵀ · b[p,4], in order of p.
void tile_product(const double* a, const double* b, int64_t depth, double* out) {
  Pair s00{}, s01{}, s10{}, s11{}, s20{}, s21{}, s30{}, s31{};
  for (int64_t p = 0; p < depth; ++p, a += kTile, b += kTile) {
    const Pair left = pair_at(b), right = pair_at(b + 2);
    s00 += both(a[0]) * left;
    s01 += both(a[0]) * right;
    s10 += both(a[1]) * left;
    s11 += both(a[1]) * right;
    s20 += both(a[2]) * left;
    s21 += both(a[2]) * right;
    s30 += both(a[3]) * left;
    s31 += both(a[3]) * right;
  }
  const Pair sums[8] = {s00, s01, s10, s11, s20, s21, s30, s31};
  std::memcpy(out, sums, sizeof sums);
}

/// Four neighbouring rows of an operand side by side, depth after depth; rows past `count` are 0.
void pack(const Operand& from, int64_t count, int64_t depth, double* to) {
  for (int64_t i = 0; i < count; i += kTile) {
    for (int64_t p = 0; p < depth; ++p, to += kTile) {
      const double* at = from.data + i * from.row_stride + p * from.col_stride;
      for (int64_t r = 0; r < kTile; ++r) to[r] = i + r < count ? at[r * from.row_stride] : 0;
    }
  }
}

/// C[m,n] += sign · A[m,depth] · B[depth,n], m at most kBlock. The order of the sums depends on the
/// depth alone.
void add_product(double sign, Operand a, Operand b, int64_t depth, View<double> c) {
  CUPEL_ASSERT(c.rows <= kBlock);
  const auto packed = static_cast<std::size_t>(kBlock * std::min(depth, kDepth));
  std::vector<double> rows(packed), cols(packed);
  double tile[kTile * kTile];
  for (int64_t begin = 0; begin < depth; begin += kDepth) {
    const int64_t count = std::min(kDepth, depth - begin);
    pack({a.data + begin * a.col_stride, a.row_stride, a.col_stride}, c.rows, count, rows.data());
    for (int64_t from = 0; from < c.cols; from += kBlock) {
      const int64_t wide = std::min(kBlock, c.cols - from);
      const double* b_from = b.data + begin * b.row_stride + from * b.col_stride;
      pack({b_from, b.col_stride, b.row_stride}, wide, count, cols.data());
      for (int64_t j = 0; j < wide; j += kTile) {
        for (int64_t i = 0; i < c.rows; i += kTile) {
          tile_product(rows.data() + i * count, cols.data() + j * count, count, tile);
          const View<double> to =
              part(c, i, from + j, std::min(kTile, c.rows - i), std::min(kTile, wide - j));
          for (int64_t r = 0; r < to.rows; ++r) {
            for (int64_t s = 0; s < to.cols; ++s) to(r, s) += sign * tile[r * kTile + s];
          }
        }
      }
    }
  }
}

/// Calls body(begin, count) on blocks of at most kBlock of `size` items.
template <class Body>
void over_blocks(ThreadPool& pool, int64_t size, const Body& body) {
  pool.parallel_for(size, kBlock, [&](int64_t begin, int64_t end) { body(begin, end - begin); });
}

/// Eight right-hand sides of a system of at most kBlock unknowns.
using Lanes = double[kBlock][kLanes];

/// L·X = B: row after row, what is known is taken from the right-hand side.
void substitute(View<const double> l, Lanes& x) {
  for (int64_t i = 0; i < l.rows; ++i) {
    for (int64_t p = 0; p < i; ++p) {
      for (int64_t r = 0; r < kLanes; ++r) x[i][r] -= l(i, p) * x[p][r];
    }
    for (int64_t r = 0; r < kLanes; ++r) x[i][r] /= l(i, i);
  }
}

/// Lᵀ·X = B, from the last row up.
void substitute_transposed(View<const double> l, Lanes& x) {
  for (int64_t i = l.rows - 1; i >= 0; --i) {
    for (int64_t p = i + 1; p < l.rows; ++p) {
      for (int64_t r = 0; r < kLanes; ++r) x[i][r] -= l(p, i) * x[p][r];
    }
    for (int64_t r = 0; r < kLanes; ++r) x[i][r] /= l(i, i);
  }
}

/// Solves by `solve` for all columns of B, which lie `row_stride` and `col_stride` apart.
template <class Solve>
void solve_lanes(View<const double> l, double* b, int64_t row_stride, int64_t col_stride,
                 int64_t columns, const Solve& solve) {
  Lanes x;
  for (int64_t from = 0; from < columns; from += kLanes, b += kLanes * col_stride) {
    const int64_t count = std::min(kLanes, columns - from);
    for (int64_t i = 0; i < l.rows; ++i) {
      for (int64_t r = 0; r < kLanes; ++r) {
        x[i][r] = r < count ? b[i * row_stride + r * col_stride] : 0;
      }
    }
    solve(l, x);
    for (int64_t i = 0; i < l.rows; ++i) {
      for (int64_t r = 0; r < count; ++r) b[i * row_stride + r * col_stride] = x[i][r];
    }
  }
}

/// Cholesky's factor of one block, as cholesky().
std::optional<int64_t> factor_block(View<double> a) {
  for (int64_t j = 0; j < a.rows; ++j) {
    double pivot = a(j, j);
    for (int64_t p = 0; p < j; ++p) pivot -= a(j, p) * a(j, p);
    if (!(pivot > 0 && pivot < std::numeric_limits<double>::infinity())) return j;
    a(j, j) = std::sqrt(pivot);
    for (int64_t i = j + 1; i < a.rows; ++i) {
      double sum = a(i, j);
      for (int64_t p = 0; p < j; ++p) sum -= a(i, p) * a(j, p);
      a(i, j) = sum / a(j, j);
    }
  }
  return std::nullopt;
}

/// Order of rows and columns turned round.
void reverse(View<double> a) {
  for (int64_t i = 0; i < a.rows - 1 - i; ++i) {
    double *first = a.row(i), *last = a.row(a.rows - 1 - i);
    for (int64_t j = 0; j < a.cols; ++j) std::swap(first[j], last[a.cols - 1 - j]);
  }
  if (a.rows % 2 == 1) std::reverse(a.row(a.rows / 2), a.row(a.rows / 2) + a.cols);
}

}  // namespace

std::optional<int64_t> cholesky(View<double> a, ThreadPool& pool) {
  CUPEL_ASSERT(a.rows == a.cols);
  const int64_t n = a.rows;
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t size = std::min(kBlock, n - at), next = at + size;
    const View<double> corner = part(a, at, at, size, size);
    if (const auto failed = factor_block(corner)) return at + *failed;
    // The rows below: X·Lᵀ = A is L·Xᵀ = Aᵀ.
    over_blocks(pool, n - next, [&](int64_t begin, int64_t count) {
      const View<double> rows = part(a, next + begin, at, count, size);
      solve_lanes(read_only(corner), rows.data, 1, rows.stride, count, substitute);
    });
    const View<const double> panel = read_only(part(a, next, at, n - next, size));
    over_blocks(pool, n - next, [&](int64_t begin, int64_t count) {
      add_product(-1, plain(part(panel, begin, 0, count, size)), transposed(panel), size,
                  part(a, next + begin, next, count, begin + count));
    });
  }
  clear_above_diagonal(a);
  return std::nullopt;
}

void solve_lower(View<const double> l, View<double> b, ThreadPool& pool) {
  CUPEL_ASSERT(l.rows == l.cols && l.rows == b.rows);
  over_blocks(pool, b.cols, [&](int64_t begin, int64_t count) {
    for (int64_t at = 0; at < l.rows; at += kBlock) {
      const int64_t size = std::min(kBlock, l.rows - at);
      const View<double> x = part(b, at, begin, size, count);
      add_product(-1, plain(part(l, at, 0, size, at)),
                  plain(read_only(part(b, 0, begin, at, count))), at, x);
      solve_lanes(part(l, at, at, size, size), x.data, x.stride, 1, count, substitute);
    }
  });
}

void solve_lower_transposed(View<const double> l, View<double> b, ThreadPool& pool) {
  CUPEL_ASSERT(l.rows == l.cols && l.rows == b.rows);
  over_blocks(pool, b.cols, [&](int64_t begin, int64_t count) {
    for (int64_t next = l.rows; next > 0;) {
      const int64_t size = (next - 1) % kBlock + 1, at = next - size, below = l.rows - next;
      const View<double> x = part(b, at, begin, size, count);
      add_product(-1, transposed(part(l, next, at, below, size)),
                  plain(read_only(part(b, next, begin, below, count))), below, x);
      solve_lanes(part(l, at, at, size, size), x.data, x.stride, 1, count, substitute_transposed);
      next = at;
    }
  });
}

void cholesky_solve(View<const double> l, View<double> b, ThreadPool& pool) {
  solve_lower(l, b, pool);
  solve_lower_transposed(l, b, pool);
}

void invert_lower(View<double> l, ThreadPool& pool) {
  CUPEL_ASSERT(l.rows == l.cols);
  clear_above_diagonal(l);
  const int64_t n = l.rows;
  Matrix corner(kBlock, kBlock), below(n, kBlock);
  // From the last block of columns to the first: [A 0; B C]⁻¹ = [A⁻¹ 0; -C⁻¹·B·A⁻¹ C⁻¹].
  for (int64_t next = n; next > 0;) {
    const int64_t size = (next - 1) % kBlock + 1, at = next - size, rest = n - next;
    const View<double> a = part(l, at, at, size, size);
    clear(corner.view);
    for (int64_t i = 0; i < size; ++i) corner.view(i, i) = 1;
    solve_lanes(read_only(a), corner.view.data, kBlock, 1, size, substitute);
    copy(read_only(part(corner.view, 0, 0, size, size)), a);
    const View<const double> b = read_only(part(l, next, at, rest, size));
    over_blocks(pool, rest, [&](int64_t begin, int64_t count) {
      const View<double> to = part(below.view, begin, 0, count, size);
      clear(to);
      add_product(1, plain(part(b, begin, 0, count, size)), plain(read_only(a)), size, to);
    });
    over_blocks(pool, rest, [&](int64_t begin, int64_t count) {
      const View<double> to = part(l, next + begin, at, count, size);
      const int64_t depth = begin + count;
      clear(to);
      add_product(-1, plain(read_only(part(l, next + begin, next, count, depth))),
                  plain(read_only(below.view)), depth, to);
    });
    next = at;
  }
}

void cholesky_inverse(View<double> l, ThreadPool& pool) {
  invert_lower(l, pool);
  const int64_t n = l.rows;
  Matrix rows(kBlock, n);
  // W = L⁻¹; block row i of WᵀW needs W's rows from i on, so what is above may be overwritten.
  for (int64_t at = 0; at < n; at += kBlock) {
    const int64_t size = std::min(kBlock, n - at), rest = n - at - size;
    const View<double> kept = part(rows.view, 0, 0, size, at + size);
    copy(read_only(part(l, at, 0, size, at + size)), kept);
    over_blocks(pool, at + size, [&](int64_t begin, int64_t count) {
      const View<double> to = part(l, at, begin, size, count);
      clear(to);
      add_product(1, transposed(read_only(part(kept, 0, at, size, size))),
                  plain(read_only(part(kept, 0, begin, size, count))), size, to);
      add_product(1, transposed(read_only(part(l, at + size, at, rest, size))),
                  plain(read_only(part(l, at + size, begin, rest, count))), rest, to);
    });
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < i; ++j) l(j, i) = l(i, j);
  }
}

std::optional<int64_t> inverse_factor(View<double> a, ThreadPool& pool) {
  reverse(a);
  if (const auto failed = cholesky(a, pool)) return a.rows - 1 - *failed;
  invert_lower(a, pool);
  reverse(a);
  return std::nullopt;
}

}  // namespace cupel

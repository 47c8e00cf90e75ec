#include "nn/bridge_nn.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>

#include "base/error.h"

namespace cupel::nn {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kRowsAPiece = 256;

int64_t bytes_of(Element type) { return type == Element::f32 ? 4 : 2; }

void* element_at(const Matrix& matrix, int64_t row, int64_t col) {
  const int64_t offset = row * matrix.row_stride + col * matrix.col_stride;
  return static_cast<char*>(matrix.data) + offset * bytes_of(matrix.type);
}

/// Blocks that Scratch lends; one pool a thread.
class ScratchPool {
 public:
  ~ScratchPool() {
    for (const Block& block : blocks_) ::operator delete (block.data, std::align_val_t{kAlignment});
  }

  void* take(int64_t size) {
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
      if (!it->lent && it->size >= size && (best == blocks_.end() || it->size < best->size))
        best = it;
    }
    if (best == blocks_.end()) {
      const auto bytes = static_cast<std::size_t>(size);
      blocks_.push_back({::operator new (bytes, std::align_val_t{kAlignment}), size, false});
      best = blocks_.end() - 1;
    }
    best->lent = true;
    return best->data;
  }

  void give_back(void* data) {
    for (Block& block : blocks_) {
      if (block.data == data) block.lent = false;
    }
  }

 private:
  struct Block {
    void* data;
    int64_t size;
    bool lent;
  };
  std::vector<Block> blocks_;
};

ScratchPool& pool() {
  thread_local ScratchPool instance;
  return instance;
}

void multiply_here(const Matrix& a, const Matrix& b, const Matrix& c, bool accumulate) {
  if (c.rows == 0 || c.cols == 0) return;
  Scratch scratch;
  const GemmArgs args{c.rows,       c.cols, a.cols,       a.data,       a.row_stride,
                      a.col_stride, a.type, b.data,       b.row_stride, b.col_stride,
                      b.type,       c.data, c.row_stride, c.type,       accumulate};
  kernels().gemm(args, scratch.bytes(gemm_workspace_bytes()));
}

/// How many pieces to cut C's rows and columns into: the grid of `threads` cells that packs least.
struct Grid {
  int64_t rows, cols;
};

Grid best_grid(int64_t rows, int64_t cols, int64_t threads) {
  Grid best{threads, 1};
  double least = HUGE_VAL;
  for (int64_t across = 1; across <= threads; ++across) {
    if (threads % across != 0) continue;
    const int64_t down = threads / across;
    // A cell smaller than a few tiles wastes its thread.
    if ((down > 1 && rows < 16 * down) || (across > 1 && cols < 32 * across)) continue;
    const double packed = static_cast<double>(rows) / static_cast<double>(down) +
                          static_cast<double>(cols) / static_cast<double>(across);
    if (packed < least) {
      least = packed;
      best = {down, across};
    }
  }
  return best;
}

}  // namespace

Matrix Matrix::row_range(int64_t begin, int64_t count) const {
  return {element_at(*this, begin, 0), count, cols, row_stride, col_stride, type};
}

Matrix Matrix::col_range(int64_t begin, int64_t count) const {
  return {element_at(*this, 0, begin), rows, count, row_stride, col_stride, type};
}

bool has_kernels(const at::Tensor& tensor) {
  const at::ScalarType type = tensor.scalar_type();
  return tensor.is_cpu() && (type == at::kFloat || type == at::kHalf || type == at::kBFloat16);
}

Element element_of(at::ScalarType type) {
  if (type == at::kHalf) return Element::f16;
  if (type == at::kBFloat16) return Element::bf16;
  CUPEL_ASSERT(type == at::kFloat);
  return Element::f32;
}

Matrix matrix_of(const at::Tensor& tensor) {
  CUPEL_ASSERT(has_kernels(tensor) && tensor.dim() >= 1);
  const int64_t cols = tensor.size(-1);
  const int64_t rows = cols > 0 ? tensor.numel() / cols : 0;
  const int64_t row_stride = tensor.dim() > 1 ? tensor.stride(-2) : cols;
  for (int64_t d = tensor.dim() - 3; d >= 0; --d)
    CUPEL_ASSERT(tensor.size(d) == 1 ||
                 tensor.stride(d) == tensor.stride(d + 1) * tensor.size(d + 1));
  return {const_cast<void*>(tensor.const_data_ptr()),
          rows,
          cols,
          row_stride,
          tensor.stride(-1),
          element_of(tensor.scalar_type())};
}

View<float> view_of(const at::Tensor& tensor) {
  const Matrix matrix = matrix_of(tensor);
  CUPEL_ASSERT(matrix.type == Element::f32 && matrix.col_stride == 1);
  return {static_cast<float*>(matrix.data), matrix.rows, matrix.cols, matrix.row_stride};
}

void multiply(const Matrix& a, const Matrix& b, const Matrix& c, bool accumulate) {
  CUPEL_ASSERT(a.rows == c.rows && a.cols == b.rows && b.cols == c.cols && c.col_stride == 1);
  CUPEL_ASSERT(!accumulate || c.type == Element::f32);
  const int64_t threads = at::in_parallel_region() ? 1 : at::get_num_threads();
  const double work =
      static_cast<double>(c.rows) * static_cast<double>(c.cols) * static_cast<double>(a.cols);
  if (threads == 1 || work < 1 << 16) return multiply_here(a, b, c, accumulate);
  const Grid grid = best_grid(c.rows, c.cols, threads);
  // Cells begin at multiples of 16, where the kernels' tiles would begin anyway.
  const auto border = [](int64_t i, int64_t pieces, int64_t size) {
    return i == pieces ? size : size * i / pieces / 16 * 16;
  };
  at::parallel_for(0, grid.rows * grid.cols, 1, [&](int64_t begin, int64_t end) {
    for (int64_t cell = begin; cell < end; ++cell) {
      const int64_t i = cell / grid.cols, j = cell % grid.cols;
      const int64_t row = border(i, grid.rows, c.rows);
      const int64_t rows = border(i + 1, grid.rows, c.rows) - row;
      const int64_t col = border(j, grid.cols, c.cols);
      const int64_t cols = border(j + 1, grid.cols, c.cols) - col;
      multiply_here(a.row_range(row, rows), b.col_range(col, cols),
                    c.row_range(row, rows).col_range(col, cols), accumulate);
    }
  });
}

void for_rows(int64_t rows, int64_t grain, const std::function<void(int64_t, int64_t)>& body) {
  at::parallel_for(0, rows, grain, [&](int64_t begin, int64_t end) { body(begin, end); });
}

int64_t row_pieces(int64_t rows) { return (rows + kRowsAPiece - 1) / kRowsAPiece; }

void for_row_pieces(int64_t rows, const std::function<void(int64_t, int64_t, int64_t)>& body) {
  at::parallel_for(0, row_pieces(rows), 1, [&](int64_t first, int64_t last) {
    for (int64_t piece = first; piece < last; ++piece)
      body(piece, piece * kRowsAPiece, std::min(rows, (piece + 1) * kRowsAPiece));
  });
}

Scratch::~Scratch() {
  for (void* block : lent_) pool().give_back(block);
}

void* Scratch::bytes(int64_t size) {
  lent_.push_back(pool().take(size));
  return lent_.back();
}

const float* load_rows(const Matrix& from, int64_t begin, int64_t count, Scratch& scratch,
                       int64_t* stride) {
  CUPEL_ASSERT(from.col_stride == 1);
  if (from.type == Element::f32) {
    *stride = from.row_stride;
    return static_cast<const float*>(element_at(from, begin, 0));
  }
  *stride = from.cols;
  float* rows = scratch.floats(count * from.cols);
  if (from.row_stride == from.cols) {
    kernels().from_16bit(element_at(from, begin, 0), from.type, rows, count * from.cols);
    return rows;
  }
  for (int64_t r = 0; r < count; ++r)
    kernels().from_16bit(element_at(from, begin + r, 0), from.type, rows + r * from.cols,
                         from.cols);
  return rows;
}

float* rows_to_write(const Matrix& to, int64_t begin, int64_t count, Scratch& scratch,
                     int64_t* stride) {
  CUPEL_ASSERT(to.col_stride == 1);
  *stride = to.type == Element::f32 ? to.row_stride : to.cols;
  return to.type == Element::f32 ? static_cast<float*>(element_at(to, begin, 0))
                                 : scratch.floats(count * to.cols);
}

void store_rows(const float* rows, const Matrix& to, int64_t begin, int64_t count) {
  if (to.type == Element::f32) return;
  for (int64_t r = 0; r < count; ++r)
    kernels().to_16bit(rows + r * to.cols, element_at(to, begin + r, 0), to.type, to.cols);
}

}  // namespace cupel::nn

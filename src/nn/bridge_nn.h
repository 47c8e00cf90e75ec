// Between tensors and the kernels: element types, rows as fp32, work split over LibTorch's threads.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "base/view.h"
#include "kernels/kernels.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

/// A matrix of any element type that a tensor owns.
struct Matrix {
  void* data = nullptr;
  int64_t rows = 0, cols = 0;
  int64_t row_stride = 0, col_stride = 1;
  Element type = Element::f32;

  Matrix transposed() const { return {data, cols, rows, col_stride, row_stride, type}; }
  Matrix row_range(int64_t begin, int64_t count) const;
  Matrix col_range(int64_t begin, int64_t count) const;
};

/// fp32, fp16 and bf16 on the CPU: what the kernels compute with.
bool has_kernels(const at::Tensor& tensor);
Element element_of(at::ScalarType type);

/// A tensor [..., cols] as a matrix whose rows are its leading dimensions; the rows must be evenly
/// spaced. Nothing is copied.
Matrix matrix_of(const at::Tensor& tensor);
/// The same for fp32.
View<float> view_of(const at::Tensor& tensor);

/// c = a · b, or c += a · b (fp32 only), split over the threads in a way that does not change a
/// bit of the result. In a parallel region it runs on the calling thread.
void multiply(const Matrix& a, const Matrix& b, const Matrix& c, bool accumulate = false);

/// Calls body(begin, end) on pieces of at least `grain` rows, one a thread.
void for_rows(int64_t rows, int64_t grain, const std::function<void(int64_t, int64_t)>& body);

/// Pieces of 0 … rows whose borders depend on `rows` alone, for sums over rows that no number of
/// threads may change. body(piece, begin, end); pieces are numbered 0 … row_pieces(rows) - 1.
int64_t row_pieces(int64_t rows);
void for_row_pieces(int64_t rows, const std::function<void(int64_t, int64_t, int64_t)>& body);

/// Memory of the calling thread that is lent until this object dies and kept for the next one.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch();

  /// 64-byte aligned, not initialised.
  void* bytes(int64_t size);
  float* floats(int64_t count) { return static_cast<float*>(bytes(count * 4)); }

 private:
  std::vector<void*> lent_;
};

/// Rows [begin, begin + count) as fp32: where they lie if they are, else converted into `scratch`
/// (count * cols floats). Columns must be adjacent. The result's stride is `*stride`.
const float* load_rows(const Matrix& from, int64_t begin, int64_t count, Scratch& scratch,
                       int64_t* stride);
/// Rows to write as fp32: where they lie, or a buffer that store_rows then rounds into them.
float* rows_to_write(const Matrix& to, int64_t begin, int64_t count, Scratch& scratch,
                     int64_t* stride);
void store_rows(const float* rows, const Matrix& to, int64_t begin, int64_t count);

}  // namespace cupel::nn

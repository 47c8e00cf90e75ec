// A linear layer in any number format of inference, and the activations it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace cupel::nn {

/// The buffer with room for `size` items, which keep no values.
template <class T>
T* room(std::vector<T>& buffer, int64_t size) {
  if (buffer.size() < static_cast<std::size_t>(size)) buffer.resize(static_cast<std::size_t>(size));
  return buffer.data();
}

struct alignas(64) CacheLine {
  std::byte bytes[64];
};

/// What the products of linear layers read: `element`, the model's element type on both sides;
/// `int8`, 8-bit integers on both sides (kernels().gemm_int8); `cb4`, weights in 4-bit codes and
/// activations in 8 bits (kernels().gemm_cb4).
enum class LinearFormat { element, int8, cb4 };

struct NumberFormat {
  Element element = Element::f32;  // of the products between activations too
  LinearFormat linear = LinearFormat::element;
  int64_t group = kCb4Block;  // depths that share a scale under cb4
};

struct PackedInt8 {
  std::vector<CacheLine> panels;
  std::vector<int32_t> sums;
  std::vector<float> scales;  // [int8_groups(in), int8_cols(out)]
  Int8Matrix matrix() const {
    return {reinterpret_cast<const int8_t*>(panels.data()), sums.data(), scales.data()};
  }
};

struct PackedCb4 {
  std::vector<CacheLine> codes;
  std::vector<uint16_t> scales;
  int64_t group = kCb4Block;
  Cb4Matrix matrix() const {
    return {reinterpret_cast<const uint8_t*>(codes.data()), scales.data(), group};
  }
};

/// y = x · weightᵀ + bias; one of the three weights is there.
struct PackedLinear {
  int64_t out = 0, in = 0;
  std::vector<std::byte> weight;  // [out, in] of the element type
  PackedInt8 int8;
  PackedCb4 cb4;
  std::vector<float> bias;  // [out]
};

/// weight: [out, in]. Under cb4 each group gets the scale that decodes it best (data/cb4.h), and
/// `in` is a multiple of the group; Error{data} of cb4::quantise() names `where`.
PackedLinear make_linear(const std::vector<float>& weight, std::vector<float> bias, int64_t in,
                         const NumberFormat& format, const std::string& where);
/// Of 4-bit codes that exist: IQ4_NL blocks of [out, in], those of a group with one scale.
PackedLinear make_linear_cb4(const std::byte* blocks, std::vector<float> bias, int64_t in,
                             int64_t group);

/// What a thread lends to products.
struct LinearScratch {
  /// gemm_workspace_bytes().
  void* for_gemm();

  std::vector<CacheLine> workspace;
  std::vector<float> sums;
};

/// Rows of activations as the products of a format read them.
class LinearInput {
 public:
  /// Of rows [rows, cols] at x, which must outlive it; nothing is read yet.
  void bind(const NumberFormat& format, const float* x, int64_t rows, int64_t cols);
  /// What was bound.
  const float* rows() const { return x_; }
  /// Rounds or quantises rows [row, row + rows). Threads may take different rows, as long as they
  /// begin at multiples of 16.
  void take(int64_t row, int64_t rows);

  /// y[rows, linear.out], y_stride between rows, = rows [row, row + rows) · weightᵀ, or added to y;
  /// without the bias. `row` is a multiple of 16. A row of y depends on its row of x alone.
  void multiply(int64_t row, int64_t rows, const PackedLinear& linear, float* y, int64_t y_stride,
                bool accumulate, LinearScratch& scratch) const;

 private:
  void multiply_element(int64_t row, int64_t rows, const PackedLinear& linear, float* y,
                        int64_t y_stride, bool accumulate, LinearScratch& scratch) const;
  void multiply_cb4(int64_t row, int64_t rows, const PackedLinear& linear, float* y,
                    int64_t y_stride, bool accumulate, LinearScratch& scratch) const;

  NumberFormat format_;
  const float* x_ = nullptr;
  int64_t cols_ = 0, row_bytes_ = 0;
  std::vector<CacheLine> lines_;  // rounded or quantised rows, row_bytes_ apart
  std::vector<float> scales_;     // a row and group of activations each
  std::vector<int32_t> zeros_;    // a row and group each, under cb4 of the weights' groups
};

}  // namespace cupel::nn

// A linear layer of an encoder in any of its number formats, and the activations it is given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace cupel::nn {

struct alignas(64) CacheLine {
  std::byte bytes[64];
};

/// What the products of linear layers read: `element`, the encoder's element type on both sides;
/// `int8`, 8-bit integers on both sides (kernels().gemm_int8); `cb4`, weights in 4-bit codes and
/// activations in 8 bits (kernels().gemm_cb4).
enum class LinearFormat { element, int8, cb4 };

struct EncoderFormat {
  Element element = Element::f32;  // of the products between activations too
  LinearFormat linear = LinearFormat::element;
  int64_t group = kCb4Block;  // depths that share a scale under cb4
};

struct EncoderInt8 {
  std::vector<CacheLine> panels;
  std::vector<int32_t> sums;
  std::vector<float> scales;  // [int8_groups(in), int8_cols(out)]
  Int8Matrix matrix() const {
    return {reinterpret_cast<const int8_t*>(panels.data()), sums.data(), scales.data()};
  }
};

struct EncoderCb4 {
  std::vector<CacheLine> codes;
  std::vector<uint16_t> scales;
  int64_t group = kCb4Block;
  Cb4Matrix matrix() const {
    return {reinterpret_cast<const uint8_t*>(codes.data()), scales.data(), group};
  }
};

/// y = x · weightᵀ + bias; one of the three weights is there.
struct EncoderLinear {
  int64_t out = 0, in = 0;
  std::vector<std::byte> weight;  // [out, in] of the element type
  EncoderInt8 int8;
  EncoderCb4 cb4;
  std::vector<float> bias;  // [out]
};

/// weight: [out, in]. Under cb4 each group gets the scale that decodes it best (data/cb4.h), and
/// `in` is a multiple of the group; Error{data} of cb4::quantise() names `where`.
EncoderLinear make_linear(const std::vector<float>& weight, std::vector<float> bias, int64_t in,
                          const EncoderFormat& format, const std::string& where);
/// Of 4-bit codes that exist: IQ4_NL blocks of [out, in], those of a group with one scale.
EncoderLinear make_linear_cb4(const std::byte* blocks, std::vector<float> bias, int64_t in,
                              int64_t group);

/// What a thread lends to products.
struct LinearScratch {
  std::vector<CacheLine> workspace;  // of kernels().gemm
  std::vector<float> sums;
};

/// Rows of activations as the products of a format read them.
class LinearInput {
 public:
  /// Of rows [rows, cols] at x, which must outlive it; nothing is read yet.
  void bind(const EncoderFormat& format, const float* x, int64_t rows, int64_t cols);
  /// Rounds or quantises rows [row, row + rows). Threads may take different rows, as long as they
  /// begin at multiples of 16.
  void take(int64_t row, int64_t rows);

  /// y[rows, linear.out] = rows [row, row + rows) · weightᵀ, or added to y; without the bias. `row`
  /// is a multiple of 16. A row of y depends on its row of x alone.
  void multiply(int64_t row, int64_t rows, const EncoderLinear& linear, float* y, bool accumulate,
                LinearScratch& scratch) const;

 private:
  void multiply_element(int64_t row, int64_t rows, const EncoderLinear& linear, float* y,
                        bool accumulate, LinearScratch& scratch) const;
  void multiply_cb4(int64_t row, int64_t rows, const EncoderLinear& linear, float* y,
                    bool accumulate, LinearScratch& scratch) const;

  EncoderFormat format_;
  const float* x_ = nullptr;
  int64_t cols_ = 0, row_bytes_ = 0;
  std::vector<CacheLine> lines_;  // rounded or quantised rows, row_bytes_ apart
  std::vector<float> scales_;     // a row and group each under int8, a row each under cb4
  std::vector<int32_t> zeros_;    // a row and group each
};

}  // namespace cupel::nn

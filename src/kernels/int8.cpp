// The 8-bit slots in plain C++, the oracle of every other row's, and the layout of their weights.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/blocking.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

int64_t padded(int64_t size, int64_t unit) { return (size + unit - 1) / unit * unit; }

/// Where element (p, j) of B stands in its panels.
int64_t place(int64_t p, int64_t j, int64_t depth) {
  return j / kInt8PanelCols * kInt8PanelCols * depth + p / 4 * kInt8Quad + j % kInt8PanelCols * 4 +
         p % 4;
}

}  // namespace

int64_t int8_row_bytes(int64_t k) {
  const int64_t bytes = padded(k, kInt8Depth);
  return bytes / 64 % 2 == 0 ? bytes + 64 : bytes;
}

int64_t int8_cols(int64_t n) { return padded(n, kInt8PanelCols); }

int64_t int8_panel_bytes(int64_t n, int64_t k) { return int8_cols(n) * padded(k, kInt8Depth); }

void pack_int8(const uint8_t* transposed, int64_t y_stride, int64_t n, int64_t k, int8_t* panels,
               int32_t* offsets) {
  const int64_t depth = padded(k, kInt8Depth);
  std::fill_n(panels, int8_panel_bytes(n, k), int8_t{0});
  std::fill_n(offsets, int8_cols(n), 0);
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t p = 0; p < k; ++p) {
      const int32_t value = int32_t{transposed[j * y_stride + p]} - kInt8Zero;
      panels[place(p, j, depth)] = static_cast<int8_t>(value);
      offsets[j] += value * kInt8Zero;
    }
  }
}

void scalar_gemm_int8(const Int8GemmArgs& args) {
  const int64_t depth = padded(args.k, kInt8Depth);
  for (int64_t i = 0; i < args.m; ++i) {
    const uint8_t* a = args.a + i * args.a_row_stride;
    for (int64_t j = 0; j < args.n; ++j) {
      int32_t sum = 0;
      for (int64_t p = 0; p < args.k; ++p)
        sum += (int32_t{a[p]} - kInt8Zero) * args.b.panels[place(p, j, depth)];
      float& c = args.c[i * args.c_row_stride + j];
      const float value = static_cast<float>(sum) * (args.a_scale[i] * args.b.scales[j]);
      c = args.accumulate ? c + value : value;
    }
  }
}

void scalar_quantize_rows(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                          float* scale, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    uint32_t bits = 0;  // of the largest magnitude; infinity and NaN stand above all numbers
    for (int64_t i = 0; i < cols; ++i) bits = std::max(bits, std::bit_cast<uint32_t>(x[i]) << 1);
    const float largest = std::bit_cast<float>(bits >> 1);
    std::fill_n(y, y_stride, static_cast<uint8_t>(kInt8Zero));
    scale[r] = 0;
    if (!std::isfinite(largest)) scale[r] = std::numeric_limits<float>::quiet_NaN();
    if (!std::isfinite(largest) || largest <= 0x1p-100f) continue;
    scale[r] = largest / 127;
    const float factor = 127 / largest;
    for (int64_t i = 0; i < cols; ++i)
      y[i] = static_cast<uint8_t>(std::nearbyint(x[i] * factor) + kInt8Zero);
  }
}

}  // namespace cupel

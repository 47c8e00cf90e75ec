// The 8-bit slots in plain C++, the oracle of every other row's, and the layout of their weights.
#include <algorithm>
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

void pack_int8(const float* transposed, int64_t n, int64_t k, int8_t* panels, int32_t* sums,
               float* scales) {
  const int64_t depth = padded(k, kInt8Depth);
  std::fill_n(panels, int8_panel_bytes(n, k), int8_t{0});
  std::fill_n(sums, int8_cols(n), 0);
  std::fill_n(scales, int8_cols(n), 0.0f);
  for (int64_t j = 0; j < n; ++j) {
    const float* column = transposed + j * k;
    float largest = 0;
    bool finite = true;
    for (int64_t p = 0; p < k; ++p) {
      largest = std::max(largest, std::abs(column[p]));
      finite = finite && std::isfinite(column[p]);
    }
    if (!finite) scales[j] = std::numeric_limits<float>::quiet_NaN();
    if (!finite || largest <= kNothing) continue;
    scales[j] = largest / 127;
    const float factor = 127 / largest;
    for (int64_t p = 0; p < k; ++p) {
      const auto value = static_cast<int8_t>(std::nearbyint(column[p] * factor));
      panels[place(p, j, depth)] = value;
      sums[j] += value;
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
        sum += (a[p] - args.a_zero[i]) * args.b.panels[place(p, j, depth)];
      float& c = args.c[i * args.c_row_stride + j];
      const float value = static_cast<float>(sum) * (args.a_scale[i] * args.b.scales[j]);
      c = args.accumulate ? c + value : value;
    }
  }
}

void scalar_quantize_rows(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                          float* scale, int32_t* zero, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    float least = 0, most = 0;
    bool finite = true;
    for (int64_t i = 0; i < cols; ++i) {
      least = std::min(least, x[i]);
      most = std::max(most, x[i]);
      finite = finite && std::isfinite(x[i]);
    }
    const float range = most - least;
    finite = finite && std::isfinite(range);
    std::fill_n(y, cols, uint8_t{0});
    scale[r] = finite ? 0 : std::numeric_limits<float>::quiet_NaN();
    zero[r] = 0;
    if (!finite || range <= kNothing) continue;
    scale[r] = range / 255;
    const float factor = 255 / range, shift = std::nearbyint(-least * factor);
    zero[r] = static_cast<int32_t>(shift);
    for (int64_t i = 0; i < cols; ++i)
      y[i] = static_cast<uint8_t>(std::min(std::nearbyint(x[i] * factor) + shift, 255.0f));
  }
}

}  // namespace cupel

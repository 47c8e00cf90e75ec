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

void quantize_group(const float* x, int64_t size, uint8_t* y, float& scale, int32_t& zero) {
  float least = 0, most = 0;
  bool finite = true;
  for (int64_t i = 0; i < size; ++i) {
    least = std::min(least, x[i]);
    most = std::max(most, x[i]);
    finite = finite && std::isfinite(x[i]);
  }
  const float range = most - least;
  finite = finite && std::isfinite(range);
  std::fill_n(y, size, uint8_t{0});
  scale = finite ? 0 : std::numeric_limits<float>::quiet_NaN();
  zero = 0;
  if (!finite || range <= kNothing) return;
  scale = range / 255;
  const float factor = 255 / range, shift = std::nearbyint(-least * factor);
  zero = static_cast<int32_t>(shift);
  for (int64_t i = 0; i < size; ++i)
    y[i] = static_cast<uint8_t>(std::min(std::nearbyint(x[i] * factor) + shift, 255.0f));
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
  const int64_t depth = padded(k, kInt8Depth), groups = int8_groups(k), cols = int8_cols(n);
  std::fill_n(panels, int8_panel_bytes(n, k), int8_t{0});
  std::fill_n(sums, groups * cols, 0);
  std::fill_n(scales, groups * cols, 0.0f);
  for (int64_t j = 0; j < n; ++j) {
    const float* column = transposed + j * k;
    for (int64_t g = 0; g < groups; ++g) {
      const int64_t begin = g * kInt8Group, end = std::min(begin + kInt8Group, k);
      int32_t& sum = sums[g * cols + j];
      float& scale = scales[g * cols + j];
      float largest = 0;
      bool finite = true;
      for (int64_t p = begin; p < end; ++p) {
        largest = std::max(largest, std::abs(column[p]));
        finite = finite && std::isfinite(column[p]);
      }
      if (!finite) scale = std::numeric_limits<float>::quiet_NaN();
      if (!finite || largest <= kNothing) continue;
      scale = largest / 127;
      const float factor = 127 / largest;
      for (int64_t p = begin; p < end; ++p) {
        const auto value = static_cast<int8_t>(std::nearbyint(column[p] * factor));
        panels[place(p, j, depth)] = value;
        sum += value;
      }
    }
  }
}

void scalar_gemm_int8(const Int8GemmArgs& args) {
  const int64_t depth = padded(args.k, kInt8Depth), groups = int8_groups(args.k);
  const int64_t cols = int8_cols(args.n);
  for (int64_t i = 0; i < args.m; ++i) {
    const uint8_t* a = args.a + i * args.a_row_stride;
    for (int64_t j = 0; j < args.n; ++j) {
      float& c = args.c[i * args.c_row_stride + j];
      for (int64_t g = 0; g < groups; ++g) {
        const int32_t zero = args.a_zero[i * groups + g];
        int32_t sum = 0;
        for (int64_t p = g * kInt8Group; p < std::min((g + 1) * kInt8Group, args.k); ++p)
          sum += (a[p] - zero) * args.b.panels[place(p, j, depth)];
        const float value =
            static_cast<float>(sum) * (args.a_scale[i * groups + g] * args.b.scales[g * cols + j]);
        c = g > 0 || args.accumulate ? c + value : value;
      }
    }
  }
}

void scalar_quantize_rows(const float* x, int64_t x_stride, uint8_t* y, int64_t y_stride,
                          float* scale, int32_t* zero, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    for (int64_t begin = 0; begin < cols; begin += kInt8Group, ++scale, ++zero)
      quantize_group(x + begin, std::min(kInt8Group, cols - begin), y + begin, *scale, *zero);
  }
}

}  // namespace cupel

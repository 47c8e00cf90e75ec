// The slots of 4-bit codes in plain C++, the oracle of every other row's, and the layout of
// weights.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/blocking.h"
#include "kernels/rows.h"

namespace cupel {
namespace {

int64_t panels_of(int64_t n) { return (n + kCb4PanelCols - 1) / kCb4PanelCols; }

/// Where the byte stands that holds depth p of row j in one of its nibbles.
int64_t code_place(int64_t j, int64_t p, int64_t k) {
  const int64_t block = p / kCb4Block, within = p % (kCb4Block / 2);
  const int64_t panel = j / kCb4PanelCols * (k / kCb4Block) + block;
  return panel * kCb4Lines * kCb4Line + within / 4 * kCb4Line + j % kCb4PanelCols * 4 + within % 4;
}

int64_t scale_place(int64_t j, int64_t group, int64_t groups) {
  return (j / kCb4PanelCols * groups + group) * kCb4PanelCols + j % kCb4PanelCols;
}

int32_t value_of(const Cb4GemmArgs& args, int64_t j, int64_t p) {
  const uint8_t byte = args.b.codes[code_place(j, p, args.k)];
  return kCb4Values[p % kCb4Block < kCb4Block / 2 ? byte & 15 : byte >> 4];
}

float scale_of(const Cb4GemmArgs& args, int64_t j, int64_t group, int64_t groups) {
  float scale;
  kScalarRow.from_16bit(args.b.scales + scale_place(j, group, groups), Element::f16, &scale, 1);
  return scale;
}

void quantize_signed_group(const float* x, int64_t size, int8_t* y, float& scale) {
  float most = 0;
  bool finite = true;
  for (int64_t i = 0; i < size; ++i) {
    most = std::max(most, std::abs(x[i]));
    finite = finite && std::isfinite(x[i]);
  }
  std::fill_n(y, size, int8_t{0});
  scale = finite ? 0 : std::numeric_limits<float>::quiet_NaN();
  if (!finite || most <= kNothing) return;
  scale = most / 127;
  const float factor = 127 / most;
  for (int64_t i = 0; i < size; ++i) y[i] = static_cast<int8_t>(std::nearbyint(x[i] * factor));
}

}  // namespace

int64_t cb4_code_bytes(int64_t n, int64_t k) { return panels_of(n) * kCb4PanelCols * k / 2; }

int64_t cb4_scales(int64_t n, int64_t k, int64_t group) {
  return panels_of(n) * kCb4PanelCols * (k / group);
}

void pack_cb4(const void* blocks, int64_t n, int64_t k, int64_t group, uint8_t* codes,
              uint16_t* scales) {
  // No code stands for zero: what makes zeros of rows past n is their scale.
  std::fill_n(codes, cb4_code_bytes(n, k), uint8_t{0});
  std::fill_n(scales, cb4_scales(n, k, group), uint16_t{0});
  const auto* block = static_cast<const uint8_t*>(blocks);
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t p = 0; p < k; p += kCb4Block, block += kCb4BlockBytes) {
      if (p % group == 0)
        std::memcpy(scales + scale_place(j, p / group, k / group), block, sizeof *scales);
      for (int64_t i = 0; i < kCb4Block / 2; ++i)
        codes[code_place(j, p + i, k)] = block[sizeof *scales + static_cast<std::size_t>(i)];
    }
  }
}

void scalar_gemm_cb4(const Cb4GemmArgs& args) {
  const int64_t group = args.b.group, groups = args.k / group;
  for (int64_t i = 0; i < args.m; ++i) {
    const int8_t* a = args.a + i * args.a_row_stride;
    for (int64_t j = 0; j < args.n; ++j) {
      float total = 0;
      for (int64_t g = 0; g < groups; ++g) {
        int32_t sum = 0;
        for (int64_t p = g * group; p < (g + 1) * group; ++p) sum += a[p] * value_of(args, j, p);
        total = std::fma(static_cast<float>(sum),
                         scale_of(args, j, g, groups) * args.a_scale[i * groups + g], total);
      }
      args.c[i * args.c_row_stride + j] = total;
    }
  }
}

void scalar_quantize_signed(const float* x, int64_t x_stride, int8_t* y, int64_t y_stride,
                            float* scale, int32_t* offset, int64_t group, int64_t rows,
                            int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride)
    for (int64_t begin = 0; begin < cols; begin += group, ++scale, ++offset) {
      quantize_signed_group(x + begin, group, y + begin, *scale);
      *offset = 0;
      for (int64_t i = begin; i < begin + group; ++i) *offset -= 128 * y[i];
    }
}

}  // namespace cupel

// Products of 8-bit integers and what makes them, each row against the scalar one, to the bit.
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class Int8 : public EveryRow {};

/// Quantised rows of A as the slot wants them: a stride of int8_row_bytes, rows up to a multiple of
/// 16, all of which `filler` fills past what counts.
struct LeftOperand {
  LeftOperand(int64_t m, int64_t k, uint32_t seed, uint8_t filler)
      : stride(int8_row_bytes(k)),
        bytes(static_cast<size_t>((m + 15) / 16 * 16 * stride), filler),
        scales(static_cast<size_t>(m)) {
    const Floats values(m * k, seed);
    scalar_row().quantize_rows(values.data(), k, bytes.data(), stride, scales.data(), m, k);
    for (int64_t i = 0; i < m; ++i)
      std::memset(bytes.data() + i * stride + k, filler, static_cast<size_t>(stride - k));
  }
  int64_t stride;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;
};

struct RightOperand {
  RightOperand(int64_t n, int64_t k, uint32_t seed)
      : stride(int8_row_bytes(k)),
        bytes(static_cast<size_t>(n * stride)),
        panels(int8_panel_bytes(n, k)),
        offsets(static_cast<size_t>(int8_cols(n))),
        scales(static_cast<size_t>(int8_cols(n))) {
    const Floats values(n * k, seed);
    scalar_row().quantize_rows(values.data(), k, bytes.data(), stride, scales.data(), n, k);
    pack(n, k);
  }
  void pack(int64_t n, int64_t k) {
    pack_int8(bytes.data(), stride, n, k, static_cast<int8_t*>(panels.get()), offsets.data());
  }
  Int8Matrix matrix() {
    return {static_cast<const int8_t*>(panels.get()), offsets.data(), scales.data()};
  }
  int64_t stride;
  std::vector<uint8_t> bytes;
  Workspace panels;
  std::vector<int32_t> offsets;
  std::vector<float> scales;
};

struct Int8Shape {
  int64_t m, n, k;
};
constexpr Int8Shape kInt8Shapes[] = {{1, 1, 1},     {3, 17, 5},    {12, 32, 64},  {13, 33, 66},
                                     {16, 31, 130}, {29, 64, 63},  {33, 100, 77}, {97, 40, 384},
                                     {200, 7, 128}, {31, 48, 1536}};

Int8GemmArgs product(const Int8Shape& shape, const LeftOperand& a, RightOperand& b, Floats& c,
                     bool accumulate) {
  return {shape.m,         shape.n,    shape.k,  a.bytes.data(), a.stride,
          a.scales.data(), b.matrix(), c.data(), shape.n + 3,    accumulate};
}

/// Equal to the bit, and nothing written between or past the rows.
void expect_same_bits(const Floats& actual, const Floats& expected, const Int8Shape& shape) {
  ASSERT_EQ(std::memcmp(actual.data(), expected.data(), static_cast<size_t>(actual.size()) * 4), 0)
      << shape.m << "x" << shape.n << "x" << shape.k;
  EXPECT_TRUE(actual.guarded());
}

TEST_P(Int8, AProductHasTheBitsOfTheScalarRowOnEveryTail) {
  for (const Int8Shape& shape : kInt8Shapes) {
    const LeftOperand a(shape.m, shape.k, 1, 255);
    RightOperand b(shape.n, shape.k, 2);
    for (const bool accumulate : {false, true}) {
      Floats actual(shape.m * (shape.n + 3), 3), expected = actual;
      row->gemm_int8(product(shape, a, b, actual, accumulate));
      scalar_row().gemm_int8(product(shape, a, b, expected, accumulate));
      expect_same_bits(actual, expected, shape);
    }
  }
}

TEST_P(Int8, LargestSumsOfTheLargestDepthDoNotOverflow) {
  const Int8Shape shape = {13, 33, 65536};
  const LeftOperand a(shape.m, shape.k, 1, 128);
  RightOperand b(shape.n, shape.k, 2);
  for (const uint8_t extreme : {uint8_t{1}, uint8_t{255}}) {
    LeftOperand full = a;
    std::fill(full.bytes.begin(), full.bytes.end(), extreme);
    std::fill(b.bytes.begin(), b.bytes.end(), uint8_t{255});
    b.pack(shape.n, shape.k);
    std::fill(full.scales.begin(), full.scales.end(), 1.0f);
    std::fill(b.scales.begin(), b.scales.end(), 1.0f);
    Floats c(shape.m * (shape.n + 3), 3);
    row->gemm_int8(product(shape, full, b, c, false));
    const float sum = (extreme == 1 ? -1.0f : 1.0f) * 127 * 127 * 65536;
    for (int64_t i = 0; i < shape.m; ++i)
      for (int64_t j = 0; j < shape.n; ++j)
        ASSERT_EQ(c[i * (shape.n + 3) + j], sum) << i << " " << j;
  }
}

TEST_P(Int8, ARowOfAProductDependsOnItsOwnRowAlone) {
  const Int8Shape whole = {157, 70, 200};
  const LeftOperand a(whole.m, whole.k, 1, 7);
  RightOperand b(whole.n, whole.k, 2);
  Floats all(whole.m * (whole.n + 3), 3), pieces = all;
  row->gemm_int8(product(whole, a, b, all, false));
  int64_t from = 0;
  for (const int64_t to : {int64_t{1}, int64_t{13}, int64_t{16}, int64_t{90}, whole.m}) {
    LeftOperand part(to - from, whole.k, 1, 9);
    for (int64_t i = from; i < to; ++i) {
      std::memcpy(part.bytes.data() + (i - from) * part.stride, a.bytes.data() + i * a.stride,
                  static_cast<size_t>(whole.k));
      part.scales[static_cast<size_t>(i - from)] = a.scales[static_cast<size_t>(i)];
    }
    Int8GemmArgs args = product({to - from, whole.n, whole.k}, part, b, pieces, false);
    args.c += from * args.c_row_stride;
    row->gemm_int8(args);
    from = to;
  }
  expect_same_bits(pieces, all, whole);
}

TEST_P(Int8, AQuantisedRowHasTheBytesOfTheScalarRow) {
  for (const int64_t cols : {1, 7, 16, 31, 100, 384, 1000}) {
    const int64_t rows = 5, x_stride = cols + 3, y_stride = int8_row_bytes(cols);
    Floats x(rows * x_stride, 1, 3.0f);
    x[0] = -40.0f;  // an outlier
    for (int64_t i = 0; i < cols; ++i) x[x_stride + i] = static_cast<float>(i % 255) * 0.5f - 63.5f;
    for (int64_t i = 0; i < cols; ++i) x[2 * x_stride + i] = 1e-31f * static_cast<float>(i % 3);
    x[3 * x_stride + cols - 1] = cols % 2 ? NAN : -INFINITY;
    for (int64_t i = 0; i < cols; ++i) x[4 * x_stride + i] *= 1e-29f;
    const auto size = static_cast<size_t>(rows * y_stride + 1);
    std::vector<uint8_t> actual(size, 9), expected(size, 9);
    Floats scale(rows, 2), expected_scale(rows, 2);
    row->quantize_rows(x.data(), x_stride, actual.data(), y_stride, scale.data(), rows, cols);
    scalar_row().quantize_rows(x.data(), x_stride, expected.data(), y_stride, expected_scale.data(),
                               rows, cols);
    EXPECT_EQ(actual, expected) << cols;
    expect_near(scale, expected_scale, 0, 0);
  }
}

TEST(Int8Scalar, QuantisesToTheNearestEvenOf255Steps) {
  const float x[] = {127.0f, -127.0f, 0.5f, 1.5f, -2.5f, 0.0f, -0.6f};
  uint8_t y[9];
  float scale;
  scalar_row().quantize_rows(x, 7, y, 9, &scale, 1, 7);
  EXPECT_EQ(scale, 1.0f);
  const uint8_t expected[] = {255, 1, 128, 130, 126, 128, 127, 128, 128};
  EXPECT_EQ(std::vector<uint8_t>(y, y + 9), std::vector<uint8_t>(expected, expected + 9));
}

TEST(Int8Scalar, NothingBecomesZerosAndWhatIsNoNumberKeepsItsRowFromLookingLikeOne) {
  const float x[] = {0.0f, 1e-40f, 1.0f, NAN, 2.0f, INFINITY};
  uint8_t y[6];
  float scale[3];
  scalar_row().quantize_rows(x, 2, y, 2, scale, 3, 2);
  for (const uint8_t byte : y) EXPECT_EQ(byte, 128);
  EXPECT_EQ(scale[0], 0.0f);
  EXPECT_TRUE(std::isnan(scale[1]) && std::isnan(scale[2]));
}

TEST(Int8Scalar, AProductIsTheSumOfProductsTimesBothScales) {
  const uint8_t a[2 * 64 * 8] = {129, 126, 255};  // 1, -2, 127
  const uint8_t transposed[] = {131, 128, 127,
                                0,   1,   128};  // columns (3, 0, -1) and (-128, -127, 0)
  alignas(64) int8_t panels[32 * 64];
  int32_t offsets[32];
  pack_int8(transposed, 3, 2, 3, panels, offsets);
  EXPECT_EQ(offsets[0], 128 * 2);
  EXPECT_EQ(offsets[31], 0);
  const float a_scale = 0.5f;
  float b_scale[32] = {2.0f, 0.25f}, c[2] = {1000.0f, 0.0f};
  Int8GemmArgs args = {1, 2, 3, a, 64, &a_scale, {panels, offsets, b_scale}, c, 2, false};
  scalar_row().gemm_int8(args);
  EXPECT_EQ(c[0], (3.0f - 127) * 1.0f);
  EXPECT_EQ(c[1], (-128.0f + 254) * 0.125f);
  args.accumulate = true;
  scalar_row().gemm_int8(args);
  EXPECT_EQ(c[0], 2 * (3.0f - 127));
}

TEST(Int8Scalar, RowsSpreadOverTheSetsOfTheFirstCache) {
  EXPECT_EQ(int8_row_bytes(1), 64);
  EXPECT_EQ(int8_row_bytes(64), 64);
  EXPECT_EQ(int8_row_bytes(65), 192);
  EXPECT_EQ(int8_row_bytes(1536), 1600);
  EXPECT_EQ(int8_cols(33), 64);
  EXPECT_EQ(int8_panel_bytes(33, 65), 64 * 128);
}

INSTANTIATE_TEST_SUITE_P(, Int8, every_row_name(), row_label);

}  // namespace
}  // namespace cupel

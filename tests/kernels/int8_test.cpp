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
        scales(static_cast<size_t>(m * int8_groups(k))),
        zeros(scales.size()) {
    const Floats values(m * k, seed);
    scalar_row().quantize_rows(values.data(), k, bytes.data(), stride, scales.data(), zeros.data(),
                               m, k);
  }
  int64_t stride;
  std::vector<uint8_t> bytes;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
};

struct RightOperand {
  RightOperand(int64_t n, int64_t k, const Floats& transposed)
      : panels(int8_panel_bytes(n, k)),
        sums(static_cast<size_t>(int8_groups(k) * int8_cols(n))),
        scales(sums.size()) {
    pack_int8(transposed.data(), n, k, static_cast<int8_t*>(panels.get()), sums.data(),
              scales.data());
  }
  RightOperand(int64_t n, int64_t k, uint32_t seed) : RightOperand(n, k, Floats(n * k, seed)) {}
  Int8Matrix matrix() {
    return {static_cast<const int8_t*>(panels.get()), sums.data(), scales.data()};
  }
  Workspace panels;
  std::vector<int32_t> sums;
  std::vector<float> scales;
};

struct Int8Shape {
  int64_t m, n, k;
};
constexpr Int8Shape kInt8Shapes[] = {{1, 1, 1},     {3, 17, 5},    {12, 32, 64},  {13, 33, 66},
                                     {16, 31, 130}, {29, 64, 63},  {33, 100, 77}, {97, 40, 384},
                                     {200, 7, 128}, {31, 48, 1000}};

Int8GemmArgs product(const Int8Shape& shape, const LeftOperand& a, RightOperand& b, Floats& c,
                     bool accumulate) {
  return {shape.m,        shape.n,    shape.k,  a.bytes.data(), a.stride,  a.scales.data(),
          a.zeros.data(), b.matrix(), c.data(), shape.n + 3,    accumulate};
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

TEST_P(Int8, TheLargestSumsAreExact) {
  const Int8Shape shape = {13, 33, 3 * kInt8Group};
  const Floats ones = [&] {
    Floats values(shape.n * shape.k, 1);
    for (int64_t i = 0; i < values.size(); ++i) values[i] = i / shape.k % 2 ? -127.0f : 127.0f;
    return values;
  }();
  RightOperand b(shape.n, shape.k, ones);
  for (const bool negative : {false, true}) {
    LeftOperand a(shape.m, shape.k, 1, 0);
    std::fill(a.bytes.begin(), a.bytes.end(), negative ? uint8_t{0} : uint8_t{255});
    std::fill(a.scales.begin(), a.scales.end(), 1.0f);
    std::fill(a.zeros.begin(), a.zeros.end(), negative ? 255 : 0);
    Floats c(shape.m * (shape.n + 3), 3);
    row->gemm_int8(product(shape, a, b, c, false));
    for (int64_t i = 0; i < shape.m; ++i) {
      for (int64_t j = 0; j < shape.n; ++j) {
        const float sign = negative == (j % 2 == 0) ? -1.0f : 1.0f;
        ASSERT_EQ(c[i * (shape.n + 3) + j], sign * 255 * 127 * 384) << i << " " << j;
      }
    }
  }
}

TEST_P(Int8, ARowOfAProductDependsOnItsOwnRowAlone) {
  const Int8Shape whole = {157, 70, 200};
  const int64_t groups = int8_groups(whole.k);
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
    }
    std::copy_n(a.scales.begin() + from * groups, (to - from) * groups, part.scales.begin());
    std::copy_n(a.zeros.begin() + from * groups, (to - from) * groups, part.zeros.begin());
    Int8GemmArgs args = product({to - from, whole.n, whole.k}, part, b, pieces, false);
    args.c += from * args.c_row_stride;
    row->gemm_int8(args);
    from = to;
  }
  expect_same_bits(pieces, all, whole);
}

TEST_P(Int8, AQuantisedRowHasTheBytesOfTheScalarRow) {
  for (const int64_t cols : {1, 7, 16, 31, 100, 384, 1000}) {
    const int64_t rows = 7, x_stride = cols + 3, y_stride = cols + 5;
    Floats x(rows * x_stride, 1, 3.0f);
    const auto fill = [&](int64_t r, auto value) {
      for (int64_t i = 0; i < cols; ++i) x[r * x_stride + i] = value(i);
    };
    x[0] = -40.0f;  // an outlier
    fill(1,
         [](int64_t i) { return static_cast<float>(i % 256) * 0.5f - 63.5f; });  // halves of steps
    fill(2, [](int64_t i) { return 1e-31f * static_cast<float>(i % 3); });       // nothing
    x[3 * x_stride + cols - 1] = cols % 2 ? NAN : -INFINITY;
    fill(4, [](int64_t i) { return 1e-29f * static_cast<float>(i + 1); });  // next to nothing
    fill(5, [](int64_t i) { return i % 2 ? 3e38f : -3e38f; });              // too wide
    fill(6, [](int64_t i) { return -1.0f - static_cast<float>(i); });       // one side of 0
    const auto size = static_cast<size_t>(rows * y_stride);
    std::vector<uint8_t> actual(size, 9), expected(size, 9);
    const int64_t groups = int8_groups(cols);
    std::vector<int32_t> zero(static_cast<size_t>(rows * groups)), expected_zero = zero;
    Floats scale(rows * groups, 2), expected_scale = scale;
    row->quantize_rows(x.data(), x_stride, actual.data(), y_stride, scale.data(), zero.data(), rows,
                       cols);
    scalar_row().quantize_rows(x.data(), x_stride, expected.data(), y_stride, expected_scale.data(),
                               expected_zero.data(), rows, cols);
    EXPECT_EQ(actual, expected) << cols;
    EXPECT_EQ(zero, expected_zero) << cols;
    expect_near(scale, expected_scale, 0, 0);
  }
}

struct QuantisedRow {
  std::vector<uint8_t> y;
  float scale;
  int32_t zero;
};
QuantisedRow quantised(const std::vector<float>& x) {
  QuantisedRow row{std::vector<uint8_t>(x.size(), 9), -1, -1};
  const auto cols = static_cast<int64_t>(x.size());
  scalar_row().quantize_rows(x.data(), cols, row.y.data(), cols, &row.scale, &row.zero, 1, cols);
  return row;
}

TEST(Int8Scalar, QuantisesToTheNearestEvenOf255Steps) {
  const QuantisedRow both = quantised({155.0f, -100.0f, 0.5f, 1.5f, -2.5f, 0.0f, -0.6f});
  EXPECT_EQ(both.scale, 1.0f);
  EXPECT_EQ(both.zero, 100);
  EXPECT_EQ(both.y, (std::vector<uint8_t>{255, 0, 100, 102, 98, 100, 99}));
  const QuantisedRow above = quantised({2.0f, 510.0f, 300.0f});
  EXPECT_EQ(above.scale, 2.0f);
  EXPECT_EQ(above.zero, 0);
  EXPECT_EQ(above.y, (std::vector<uint8_t>{1, 255, 150}));
  const QuantisedRow below = quantised({-255.0f, -3.0f});
  EXPECT_EQ(below.zero, 255);
  EXPECT_EQ(below.y, (std::vector<uint8_t>{0, 252}));
}

TEST(Int8Scalar, NothingBecomesZerosAndWhatIsNoNumberStaysNone) {
  const QuantisedRow nothing = quantised({0.0f, 1e-40f});
  EXPECT_EQ(nothing.scale, 0.0f);
  EXPECT_EQ(nothing.y, (std::vector<uint8_t>{0, 0}));
  for (const float value : {NAN, INFINITY, -INFINITY}) {
    EXPECT_TRUE(std::isnan(quantised({1.0f, value}).scale)) << value;
    EXPECT_EQ(quantised({1.0f, value}).y, (std::vector<uint8_t>{0, 0}));
    Floats column(2, 1);
    column[1] = value;
    EXPECT_TRUE(std::isnan(RightOperand(1, 2, column).scales[0])) << value;
  }
}

TEST(Int8Scalar, EachGroupOfDepthsHasScalesOfItsOwn) {
  constexpr int64_t kDepth = kInt8Group + 2;
  std::vector<float> x(kDepth);
  x[0] = 1e6f;  // drowns its own group alone
  x[kInt8Group] = 255.0f;
  x[kInt8Group + 1] = 3.0f;
  std::vector<uint8_t> y(static_cast<size_t>(16 * int8_row_bytes(kDepth)));
  float scales[2];
  int32_t zeros[2];
  scalar_row().quantize_rows(x.data(), kDepth, y.data(), kDepth, scales, zeros, 1, kDepth);
  EXPECT_EQ(scales[1], 1.0f);
  EXPECT_EQ(y[kInt8Group + 1], 3);
  Floats column(kDepth, 1);
  for (int64_t p = 0; p < kDepth; ++p) column[p] = p < kInt8Group ? 0.0f : 127.0f;
  column[0] = 127e-6f;
  RightOperand b(1, kDepth, column);
  EXPECT_EQ(b.scales[static_cast<size_t>(int8_cols(1))], 1.0f);
  EXPECT_EQ(b.sums[static_cast<size_t>(int8_cols(1))], 254);
  float c = 0;
  scalar_row().gemm_int8(
      {1, 1, kDepth, y.data(), int8_row_bytes(kDepth), scales, zeros, b.matrix(), &c, 1, false});
  EXPECT_NEAR(c, 127.0f + 258 * 127, 0.01f);
}

TEST(Int8Scalar, AProductIsTheSumOfProductsTimesBothScales) {
  const std::vector<uint8_t> a = [] {
    std::vector<uint8_t> bytes(static_cast<size_t>(16 * int8_row_bytes(3)));
    bytes[0] = 11, bytes[1] = 8, bytes[2] = 137;  // 1, -2, 127 above a zero of 10
    return bytes;
  }();
  Floats transposed(6, 1);
  const float columns[] = {6.0f, 0.0f, -254.0f, 127.0f, -1.5f, 0.5f};  // steps of 2 and of 1
  std::copy(std::begin(columns), std::end(columns), transposed.data());
  RightOperand b(2, 3, transposed);
  EXPECT_EQ(b.scales[0], 2.0f);
  EXPECT_EQ(b.scales[1], 1.0f);
  EXPECT_EQ(b.sums[0], 3 - 127);
  EXPECT_EQ(b.sums[1], 127 - 2);
  EXPECT_EQ(b.sums[31], 0);
  const float a_scale = 0.5f;
  const int32_t a_zero = 10;
  float c[2] = {1000.0f, 0.0f};
  Int8GemmArgs args = {1,          2, 3, a.data(), int8_row_bytes(3), &a_scale, &a_zero,
                       b.matrix(), c, 2, false};
  scalar_row().gemm_int8(args);
  EXPECT_EQ(c[0], 3.0f - 127 * 127);
  EXPECT_EQ(c[1], (127.0f + 4) * 0.5f);
  args.accumulate = true;
  scalar_row().gemm_int8(args);
  EXPECT_EQ(c[0], 2 * (3.0f - 127 * 127));
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

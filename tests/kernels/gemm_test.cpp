#include <cstring>

#include "kernels/every_row.h"
#include "support/reference_loops.h"

namespace cupel {
namespace {

class Gemm : public EveryRow {};

struct Shape {
  int64_t m, n, k;
};

/// A matrix of any element type, its transpose or not, with a gap after each stored line.
struct Matrix {
  Matrix(int64_t rows, int64_t cols, bool transposed, Element element, uint32_t seed)
      : type(element),
        row_stride(transposed ? 1 : cols + 3),
        col_stride(transposed ? rows + 3 : 1) {
    const Floats values((rows + 3) * (cols + 3), seed);
    bytes.resize(static_cast<size_t>(values.size() * (type == Element::f32 ? 4 : 2)));
    if (type == Element::f32) {
      std::memcpy(bytes.data(), values.data(), bytes.size());
    } else {
      scalar_row().to_16bit(values.data(), bytes.data(), type, values.size());
    }
  }
  Element type;
  int64_t row_stride, col_stride;
  std::vector<char> bytes;
};

GemmArgs product(const Shape& shape, const Matrix& a, const Matrix& b, void* c,
                 int64_t c_row_stride, Element c_type, bool accumulate = false) {
  return {shape.m,      shape.n, shape.k,        a.bytes.data(), a.row_stride,
          a.col_stride, a.type,  b.bytes.data(), b.row_stride,   b.col_stride,
          b.type,       c,       c_row_stride,   c_type,         accumulate};
}

/// Rounding errors of k products of normal numbers in any order, six standard deviations.
float tolerance(int64_t k) { return 6e-7f * static_cast<float>(k + 1); }

TEST_P(Gemm, AgreesWithTheScalarRowOnEveryTailAndTranspose) {
  Workspace workspace(gemm_workspace_bytes());
  const Shape shapes[] = {{1, 1, 1},   {1, 17, 5},   {6, 16, 8},    {7, 33, 9},    {13, 31, 64},
                          {5, 100, 3}, {29, 15, 77}, {14, 32, 256}, {45, 70, 300}, {150, 40, 31}};
  for (const Shape& shape : shapes) {
    for (int transposes = 0; transposes < 4; ++transposes) {
      const Matrix a(shape.m, shape.k, transposes & 1, Element::f32, 1),
          b(shape.k, shape.n, transposes & 2, Element::f32, 2);
      Floats actual(shape.m * (shape.n + 5), 3), expected(shape.m * (shape.n + 5), 3);
      for (const bool accumulate : {false, true}) {
        SCOPED_TRACE(testing::Message()
                     << shape.m << "x" << shape.n << "x" << shape.k << " transposes " << transposes
                     << " accumulate " << accumulate);
        row->gemm(product(shape, a, b, actual.data(), shape.n + 5, Element::f32, accumulate),
                  workspace.get());
        scalar_row().gemm(
            product(shape, a, b, expected.data(), shape.n + 5, Element::f32, accumulate), nullptr);
        expect_near(actual, expected, 0, 2 * tolerance(shape.k));
      }
    }
  }
}

TEST_P(Gemm, CrossesEveryBlockBoundary) {
  Workspace workspace(gemm_workspace_bytes());
  for (const Shape& shape :
       {Shape{600, 40, 20}, Shape{20, 1030, 40}, Shape{30, 40, 1100}, Shape{290, 530, 390}}) {
    const Matrix a(shape.m, shape.k, false, Element::f32, 1),
        b(shape.k, shape.n, true, Element::f32, 2);
    Floats actual(shape.m * shape.n, 3), expected(shape.m * shape.n, 3);
    row->gemm(product(shape, a, b, actual.data(), shape.n, Element::f32), workspace.get());
    scalar_row().gemm(product(shape, a, b, expected.data(), shape.n, Element::f32), nullptr);
    expect_near(actual, expected, 0, tolerance(shape.k));
  }
}

TEST_P(Gemm, ReadsAndWritesSixteenBitElements) {
  Workspace workspace(gemm_workspace_bytes());
  for (const Shape& shape :
       {Shape{9, 21, 13}, Shape{31, 50, 64}, Shape{600, 33, 40}, Shape{40, 70, 530}}) {
    for (const Element type : {Element::f16, Element::bf16}) {
      for (int transposes = 0; transposes < 4; ++transposes) {
        const Matrix a(shape.m, shape.k, transposes & 1, type, 1),
            b(shape.k, shape.n, transposes & 2, type, 2);
        std::vector<uint16_t> bits(static_cast<size_t>(shape.m * shape.n));
        row->gemm(product(shape, a, b, bits.data(), shape.n, type), workspace.get());
        Floats actual(shape.m * shape.n, 0), expected(shape.m * shape.n, 0);
        scalar_row().from_16bit(bits.data(), type, actual.data(), actual.size());
        scalar_row().gemm(product(shape, a, b, expected.data(), shape.n, Element::f32), nullptr);
        const float half_unit = type == Element::f16 ? 0x1p-11f : 0x1p-8f;
        expect_near(actual, expected, half_unit * 1.01f, tolerance(shape.k) * 1.01f);
      }
    }
  }
}

TEST_P(Gemm, MixesElementTypes) {
  Workspace workspace(gemm_workspace_bytes());
  const Shape shape = {37, 45, 70};
  const Matrix a(shape.m, shape.k, true, Element::bf16, 1),
      b(shape.k, shape.n, false, Element::f32, 2);
  Floats actual(shape.m * shape.n, 3), expected(shape.m * shape.n, 3);
  row->gemm(product(shape, a, b, actual.data(), shape.n, Element::f32, true), workspace.get());
  scalar_row().gemm(product(shape, a, b, expected.data(), shape.n, Element::f32, true), nullptr);
  expect_near(actual, expected, 0, tolerance(shape.k));
}

TEST_P(Gemm, RoundsOnceAndOverflowsToInfinity) {
  Workspace workspace(gemm_workspace_bytes());
  const int64_t k = 600;  // several blocks of depth: rounding after each would lose the ones
  std::vector<uint16_t> ones(static_cast<size_t>(k)), wide(static_cast<size_t>(k));
  Floats values(k, 0);
  for (int64_t i = 0; i < k; ++i) values[i] = 1.0f;
  scalar_row().to_16bit(values.data(), ones.data(), Element::f16, k);
  for (int64_t i = 0; i < k; ++i) values[i] = i == 0 ? 2048.0f : 0.5f;
  scalar_row().to_16bit(values.data(), wide.data(), Element::f16, k);
  uint16_t sum = 0;
  GemmArgs args = {1,           1, k, ones.data(),  k,    1, Element::f16,
                   wide.data(), 1, k, Element::f16, &sum, 1, Element::f16,
                   false};
  row->gemm(args, workspace.get());
  float result;
  scalar_row().from_16bit(&sum, Element::f16, &result, 1);
  EXPECT_EQ(result, 2348.0f);  // 2048 + 599 / 2 = 2347.5, ties to even in steps of 2
  args.k = 1;
  const uint16_t largest = 0x7bff;
  args.a = args.b = &largest;
  row->gemm(args, workspace.get());
  EXPECT_EQ(sum, 0x7c00);
}

TEST_P(Gemm, IsTheSameToTheBitHoweverRowsAndColumnsAreSplit) {
  Workspace workspace(gemm_workspace_bytes());
  for (const auto& [k, type] : {std::pair<int64_t, Element>{333, Element::f32},
                                {400, Element::f32},
                                {333, Element::bf16},
                                {800, Element::bf16}}) {
    const Shape shape = {157, 131, k};
    const Matrix a(shape.m, shape.k, false, type, 1), b(shape.k, shape.n, true, type, 2);
    Floats whole(shape.m * shape.n, 3), pieces(shape.m * shape.n, 3);
    const GemmArgs args = product(shape, a, b, whole.data(), shape.n, Element::f32);
    row->gemm(args, workspace.get());
    const int64_t row_cuts[] = {0, 1, 8, 77, 120, shape.m},
                  col_cuts[] = {0, 3, 20, 64, 67, shape.n};
    for (size_t i = 0; i + 1 < std::size(row_cuts); ++i) {
      for (size_t j = 0; j + 1 < std::size(col_cuts); ++j) {
        GemmArgs piece = args;
        const int64_t size = type == Element::f32 ? 4 : 2;
        piece.m = row_cuts[i + 1] - row_cuts[i];
        piece.n = col_cuts[j + 1] - col_cuts[j];
        piece.a = static_cast<const char*>(args.a) + row_cuts[i] * args.a_row_stride * size;
        piece.b = static_cast<const char*>(args.b) + col_cuts[j] * args.b_col_stride * size;
        piece.c = pieces.data() + row_cuts[i] * shape.n + col_cuts[j];
        row->gemm(piece, workspace.get());
      }
    }
    EXPECT_EQ(0, std::memcmp(whole.data(), pieces.data(),
                             sizeof(float) * static_cast<size_t>(whole.size())));
  }
}

TEST_P(Gemm, OfDepthZeroIsZeroOrAddsNothing) {
  Workspace workspace(gemm_workspace_bytes());
  const Matrix a(3, 1, false, Element::f32, 1), b(1, 20, false, Element::f32, 2);
  Floats c(60, 3);
  const Floats before = c;
  row->gemm(product({3, 20, 0}, a, b, c.data(), 20, Element::f32, true), workspace.get());
  expect_near(c, before, 0, 0);
  row->gemm(product({3, 20, 0}, a, b, c.data(), 20, Element::f32), workspace.get());
  for (int64_t i = 0; i < c.size(); ++i) EXPECT_EQ(c[i], 0.0f);
}

TEST_P(Gemm, KeepsAnInfinityInItsOwnRow) {
  Workspace workspace(gemm_workspace_bytes());
  const Shape shape = {9, 20, 10};
  Floats a(shape.m * shape.k, 1), b(shape.k * shape.n, 2), c(shape.m * shape.n, 3);
  a[4 * shape.k + 2] = INFINITY;
  row->gemm({shape.m, shape.n, shape.k, a.data(), shape.k, 1, Element::f32, b.data(), shape.n, 1,
             Element::f32, c.data(), shape.n, Element::f32, false},
            workspace.get());
  for (int64_t i = 0; i < c.size(); ++i) EXPECT_EQ(std::isfinite(c[i]), i / shape.n != 4) << i;
}

/// The products of a small DeepSeek training step, a few rows of each.
TEST_P(Gemm, AgreesWithTheScalarRowOnTheShapesOfTraining) {
  Workspace workspace(gemm_workspace_bytes());
  const Shape shapes[] = {{37, 80, 192},  {25, 288, 96}, {13, 384, 64},  {26, 512, 192},
                          {14, 192, 512}, {5, 2048, 96}, {24, 40, 2048}, {13, 192, 1025}};
  for (const Shape& shape : shapes) {
    if (kSanitized && shape.m * shape.n * shape.k > 500'000) continue;
    for (const Element type : {Element::f32, Element::bf16}) {
      for (int transposes = 0; transposes < 4; ++transposes) {
        const Matrix a(shape.m, shape.k, transposes & 1, type, 1),
            b(shape.k, shape.n, transposes & 2, type, 2);
        Floats actual(shape.m * shape.n, 3), expected(shape.m * shape.n, 3);
        for (const bool accumulate : {false, true}) {
          SCOPED_TRACE(testing::Message() << shape.m << "x" << shape.n << "x" << shape.k
                                          << " transposes " << transposes);
          row->gemm(product(shape, a, b, actual.data(), shape.n, Element::f32, accumulate),
                    workspace.get());
          scalar_row().gemm(
              product(shape, a, b, expected.data(), shape.n, Element::f32, accumulate), nullptr);
          expect_near(actual, expected, 0, 2 * tolerance(shape.k));
        }
      }
    }
  }
}

/// Two copies of a matrix with odd strides at an odd address: zeros around it, or NaN.
struct Surrounded {
  Surrounded(int64_t rows, int64_t cols, int64_t row_gap, int64_t col_gap, Element type,
             uint32_t seed)
      : element(type), row_stride(cols * col_gap + row_gap), col_stride(col_gap) {
    const Floats values(rows * row_stride, seed);
    Floats hostile(rows * row_stride + 64, 2);
    for (int64_t i = 0; i < hostile.size(); ++i) hostile[i] = NAN;
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < cols; ++j)
        hostile[kBefore + i * row_stride + j * col_gap] = values[i * row_stride + j * col_gap];
    Floats clean = hostile;
    for (int64_t i = 0; i < clean.size(); ++i)
      if (std::isnan(clean[i])) clean[i] = 0;
    const int64_t size = type == Element::f32 ? 4 : 2;
    for (const Floats* from : {&clean, &hostile}) {
      std::vector<char>& to = from == &clean ? quiet : loud;
      to.resize(static_cast<size_t>(hostile.size() * size));
      if (type == Element::f32) {
        std::memcpy(to.data(), from->data(), to.size());
      } else {
        scalar_row().to_16bit(from->data(), to.data(), type, hostile.size());
      }
    }
  }
  const void* in(const std::vector<char>& memory) const {
    return memory.data() + kBefore * (element == Element::f32 ? 4 : 2);
  }
  static constexpr int64_t kBefore = 33;
  Element element;
  int64_t row_stride, col_stride;
  std::vector<char> quiet, loud;
};

TEST_P(Gemm, ReadsNothingOutsideItsOperands) {
  Workspace workspace(gemm_workspace_bytes());
  const Shape shapes[] = {{1, 1, 1}, {3, 33, 1}, {13, 47, 31}, {25, 17, 67}, {12, 32, 769}};
  for (const Shape& shape : shapes) {
    for (const Element type : {Element::f32, Element::f16, Element::bf16}) {
      for (int layout = 0; layout < 9; ++layout) {
        // Rows along memory, columns along memory, or neither.
        const auto laid = [&](int64_t rows, int64_t cols, int how, uint32_t seed) {
          Surrounded matrix(how == 1 ? cols : rows, how == 1 ? rows : cols, 1, how == 2 ? 3 : 1,
                            type, seed);
          if (how == 1) std::swap(matrix.row_stride, matrix.col_stride);
          return matrix;
        };
        const Surrounded a = laid(shape.m, shape.k, layout / 3, 1),
                         b = laid(shape.k, shape.n, layout % 3, 2);
        Floats actual(shape.m * shape.n, 3), expected(shape.m * shape.n, 4);
        GemmArgs args = {shape.m,      shape.n,       shape.k,      a.in(a.loud), a.row_stride,
                         a.col_stride, type,          b.in(b.loud), b.row_stride, b.col_stride,
                         type,         actual.data(), shape.n,      Element::f32, false};
        row->gemm(args, workspace.get());
        args.a = a.in(a.quiet);
        args.b = b.in(b.quiet);
        args.c = expected.data();
        scalar_row().gemm(args, nullptr);
        SCOPED_TRACE(testing::Message() << shape.m << "x" << shape.n << "x" << shape.k << " type "
                                        << static_cast<int>(type) << " layout " << layout);
        expect_near(actual, expected, 0, tolerance(shape.k));
      }
    }
  }
}

TEST_P(Gemm, WritesNothingOutsideASixteenBitResult) {
  Workspace workspace(gemm_workspace_bytes());
  for (const Shape& shape : {Shape{5, 37, 20}, Shape{14, 16, 7}, Shape{3, 1, 900}}) {
    const Matrix a(shape.m, shape.k, false, Element::bf16, 1),
        b(shape.k, shape.n, false, Element::bf16, 2);
    const int64_t stride = shape.n + 3;
    for (const Element type : {Element::f16, Element::bf16}) {
      std::vector<uint16_t> c(static_cast<size_t>(shape.m * stride), 0x1234);
      row->gemm(product(shape, a, b, c.data(), stride, type), workspace.get());
      for (int64_t r = 0; r < shape.m; ++r)
        for (int64_t i = shape.n; i < stride; ++i)
          ASSERT_EQ(c[static_cast<size_t>(r * stride + i)], 0x1234) << r << ", " << i;
    }
  }
}

TEST_P(Gemm, CarriesHugeValuesInfinityAndNanOfBf16) {
  Workspace workspace(gemm_workspace_bytes());
  const Shape shape = {4, 18, 6};
  Floats a(shape.m * shape.k, 1), b(shape.k * shape.n, 2), c(shape.m * shape.n, 3);
  const auto fill = [](Floats& x, float value) {
    for (int64_t i = 0; i < x.size(); ++i) x[i] = value;
  };
  fill(a, 0);
  fill(b, 1);
  a[0 * shape.k + 1] = 0x1p127f;  // alone: the largest power of two
  a[1 * shape.k + 2] = INFINITY;
  a[2 * shape.k + 5] = NAN;
  a[3 * shape.k + 1] = 0x1p127f;  // 2^127 + 2^127 overflows
  a[3 * shape.k + 4] = 0x1p127f;
  std::vector<uint16_t> a_bits(static_cast<size_t>(a.size())),
      b_bits(static_cast<size_t>(b.size()));
  scalar_row().to_16bit(a.data(), a_bits.data(), Element::bf16, a.size());
  scalar_row().to_16bit(b.data(), b_bits.data(), Element::bf16, b.size());
  row->gemm({shape.m, shape.n, shape.k, a_bits.data(), shape.k, 1, Element::bf16, b_bits.data(),
             shape.n, 1, Element::bf16, c.data(), shape.n, Element::f32, false},
            workspace.get());
  for (int64_t j = 0; j < shape.n; ++j) {
    EXPECT_EQ(c[j], 0x1p127f) << j;
    EXPECT_EQ(c[shape.n + j], INFINITY) << j;
    EXPECT_TRUE(std::isnan(c[2 * shape.n + j])) << j;
    EXPECT_EQ(c[3 * shape.n + j], INFINITY) << j;
  }
}

/// GemmArgs lets a matrix unit take subnormal bf16 for zero: the result is right or that.
TEST_P(Gemm, LosesNoMoreThanSubnormalsOfBf16) {
  Workspace workspace(gemm_workspace_bytes());
  const uint16_t tiny = 0x0040, one = 0x3f80;  // 2^-127, 1
  float c = -1;
  row->gemm(
      {1, 1, 1, &tiny, 1, 1, Element::bf16, &one, 1, 1, Element::bf16, &c, 1, Element::f32, false},
      workspace.get());
  EXPECT_TRUE(c == 0x1p-127f || c == 0) << c;
}

INSTANTIATE_TEST_SUITE_P(, Gemm, every_row_name(), row_label);

}  // namespace
}  // namespace cupel

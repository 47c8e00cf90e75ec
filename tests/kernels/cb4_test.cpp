// Products with 4-bit codes and what makes their activations, each row against the scalar one, to
// the bit.
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class Cb4 : public EveryRow {};

std::size_t count(int64_t n) { return static_cast<std::size_t>(n); }

/// Random codes with scales of binary16 numbers between 2^-8 and 2^-7, one a group.
std::vector<uint8_t> random_blocks(int64_t n, int64_t k, int64_t group, uint32_t seed) {
  std::mt19937 generator(seed);
  std::vector<uint8_t> bytes(count(n * k / kCb4Block * kCb4BlockBytes));
  uint16_t scale = 0;
  for (int64_t i = 0; i < n * k / kCb4Block; ++i) {
    uint8_t* block = bytes.data() + i * kCb4BlockBytes;
    if (i * kCb4Block % group == 0) scale = static_cast<uint16_t>(0x1c00 + generator() % 1024);
    std::memcpy(block, &scale, sizeof scale);
    for (int64_t b = 2; b < kCb4BlockBytes; ++b) block[b] = static_cast<uint8_t>(generator());
  }
  return bytes;
}

struct Cb4Weights {
  Cb4Weights(int64_t n, int64_t k, int64_t shared, const std::vector<uint8_t>& blocks)
      : codes(cb4_code_bytes(n, k)), scales(count(cb4_scales(n, k, shared))), group(shared) {
    pack_cb4(blocks.data(), n, k, shared, static_cast<uint8_t*>(codes.get()), scales.data());
  }
  Cb4Matrix matrix() { return {static_cast<const uint8_t*>(codes.get()), scales.data(), group}; }
  Workspace codes;
  std::vector<uint16_t> scales;
  int64_t group;
};

struct Cb4Activations {
  Cb4Activations(int64_t m, int64_t k, int64_t group, const Floats& values)
      : stride(k + 3),
        bytes(count(m * stride), int8_t{99}),
        scales(count(m * k / group)),
        offsets(count(m * k / group)) {
    scalar_row().quantize_signed(values.data(), k, bytes.data(), stride, scales.data(),
                                 offsets.data(), group, m, k);
  }
  int64_t stride;
  std::vector<int8_t> bytes;
  std::vector<float> scales;
  std::vector<int32_t> offsets;
};

struct Cb4Shape {
  int64_t m, n, k, group;
};
constexpr Cb4Shape kCb4Shapes[] = {{1, 1, 32, 32},    {1, 100, 1056, 32}, {1, 64, 1536, 512},
                                   {2, 33, 640, 128}, {3, 17, 96, 32},    {4, 16, 1024, 256},
                                   {7, 31, 576, 64},  {13, 50, 1536, 32}, {29, 70, 768, 128},
                                   {390, 33, 544, 32}};

Cb4GemmArgs product(const Cb4Shape& shape, const Cb4Activations& a, Cb4Weights& w, Floats& c) {
  return {shape.m,         shape.n,          shape.k,    a.bytes.data(), a.stride,
          a.scales.data(), a.offsets.data(), w.matrix(), c.data(),       shape.n + 3};
}

TEST_P(Cb4, AProductHasTheBitsOfTheScalarRowOnEveryTail) {
  for (const Cb4Shape& shape : kCb4Shapes) {
    const auto [m, n, k, group] = shape;
    const Cb4Activations a(m, k, group, Floats(m * k, 1));
    Cb4Weights w(n, k, group, random_blocks(n, k, group, 2));
    Floats actual(m * (n + 3), 3), expected = actual;
    row->gemm_cb4(product(shape, a, w, actual));
    scalar_row().gemm_cb4(product(shape, a, w, expected));
    ASSERT_EQ(std::memcmp(actual.data(), expected.data(), count(actual.size()) * 4), 0)
        << m << "x" << n << "x" << k << " in groups of " << group;
    EXPECT_TRUE(actual.guarded());
  }
}

TEST_P(Cb4, TheLargestSumsAreExact) {
  const Cb4Shape shape = {5, 20, 65536, 512};
  std::vector<uint8_t> blocks = random_blocks(shape.n, shape.k, shape.group, 1);
  for (std::size_t i = 0; i < blocks.size(); i += count(kCb4BlockBytes)) {
    const uint16_t one = 0x3c00;
    std::memcpy(&blocks[i], &one, sizeof one);
    std::fill_n(&blocks[i + 2], kCb4BlockBytes - 2, uint8_t{0});  // code 0: -127
  }
  Cb4Weights w(shape.n, shape.k, shape.group, blocks);
  for (const int sign : {1, -1}) {
    Cb4Activations a(shape.m, shape.k, shape.group, Floats(shape.m * shape.k, 1));
    std::fill(a.bytes.begin(), a.bytes.end(), static_cast<int8_t>(sign * 127));
    std::fill(a.offsets.begin(), a.offsets.end(), -128 * sign * 127 * 512);
    std::fill(a.scales.begin(), a.scales.end(), 1.0f);
    Floats c(shape.m * (shape.n + 3), 3);
    row->gemm_cb4(product(shape, a, w, c));
    const double expected = -127.0 * 127 * sign * 65536;
    for (int64_t i = 0; i < shape.m; ++i)
      for (int64_t j = 0; j < shape.n; ++j)
        ASSERT_NEAR(c[i * (shape.n + 3) + j], expected, std::abs(expected) * 1e-6);
  }
}

TEST_P(Cb4, ARowOfAProductDependsOnItsOwnRowAlone) {
  const Cb4Shape whole = {11, 70, 576, 32};
  const Floats values(whole.m * whole.k, 1);
  const Cb4Activations a(whole.m, whole.k, whole.group, values);
  Cb4Weights w(whole.n, whole.k, whole.group, random_blocks(whole.n, whole.k, whole.group, 2));
  Floats all(whole.m * (whole.n + 3), 3), alone = all;
  row->gemm_cb4(product(whole, a, w, all));
  for (int64_t i = 0; i < whole.m; ++i) {
    Cb4GemmArgs args = product(whole, a, w, alone);
    args.m = 1;
    args.a += i * a.stride;
    args.a_scale += i * whole.k / whole.group;
    args.a_offset += i * whole.k / whole.group;
    args.c += i * args.c_row_stride;
    row->gemm_cb4(args);
  }
  EXPECT_EQ(std::memcmp(all.data(), alone.data(), count(all.size()) * 4), 0);
}

TEST_P(Cb4, AQuantisedRowHasTheBytesOfTheScalarRow) {
  constexpr int64_t kCols = 160, kGroup = 32, kScales = kCols / kGroup;
  Floats x(9 * kCols, 5);
  for (int64_t i = 0; i < kCols; ++i) {
    x[1 * kCols + i] = 0;
    x[2 * kCols + i] = 1e-35f;
    x[3 * kCols + i] *= 1e30f;
    x[4 * kCols + i] = i == 40 ? std::numeric_limits<float>::quiet_NaN() : 1.0f;
    x[5 * kCols + i] = i == 159 ? -std::numeric_limits<float>::infinity() : 1.0f;
    x[6 * kCols + i] = static_cast<float>(i) - 50.5f;
  }
  struct Result {
    std::vector<int8_t> bytes = std::vector<int8_t>(9 * (kCols + 1), int8_t{77});
    std::vector<float> scales = std::vector<float>(9 * kScales);
    std::vector<int32_t> offsets = std::vector<int32_t>(9 * kCols / kGroup);
  } actual, expected;
  row->quantize_signed(x.data(), kCols, actual.bytes.data(), kCols + 1, actual.scales.data(),
                       actual.offsets.data(), kGroup, 9, kCols);
  scalar_row().quantize_signed(x.data(), kCols, expected.bytes.data(), kCols + 1,
                               expected.scales.data(), expected.offsets.data(), kGroup, 9, kCols);
  EXPECT_EQ(actual.bytes, expected.bytes);
  EXPECT_EQ(actual.offsets, expected.offsets);
  for (std::size_t i = 0; i < 9 * kScales; ++i) {
    const bool spoilt = i == 4 * kScales + 1 || i == 5 * kScales + 4;
    EXPECT_EQ(std::isnan(actual.scales[i]), spoilt) << i;
    if (!spoilt) {
      EXPECT_EQ(actual.scales[i], expected.scales[i]) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Cb4, every_row_name(), row_label);

// ---- the scalar row itself ----

TEST(Cb4Scalar, IsTheProductOfWhatTheBlocksSay) {
  const Cb4Shape shape = {3, 5, 192, 32};
  const int64_t groups = shape.k / shape.group;
  const std::vector<uint8_t> blocks = random_blocks(shape.n, shape.k, shape.group, 4);
  const Floats values(shape.m * shape.k, 6);
  const Cb4Activations a(shape.m, shape.k, shape.group, values);
  Cb4Weights w(shape.n, shape.k, shape.group, blocks);
  Floats c(shape.m * (shape.n + 3), 3);
  scalar_row().gemm_cb4(product(shape, a, w, c));
  for (int64_t i = 0; i < shape.m; ++i) {
    for (int64_t j = 0; j < shape.n; ++j) {
      double expected = 0;
      for (int64_t p = 0; p < shape.k; ++p) {
        const uint8_t* block = &blocks[count((j * shape.k + p) / kCb4Block * kCb4BlockBytes)];
        const int64_t within = p % kCb4Block;
        const uint8_t byte = block[2 + within % 16];
        const int bits = block[0] | block[1] << 8;  // a normal binary16 of exponent 7
        const double scale = std::ldexp(1024 + (bits & 1023), (bits >> 10) - 25);
        expected += scale * kCb4Values[within < 16 ? byte & 15 : byte >> 4] *
                    a.bytes[count(i * a.stride + p)] *
                    static_cast<double>(a.scales[count(i * groups + p / shape.group)]);
      }
      EXPECT_NEAR(c[i * (shape.n + 3) + j], expected, 1e-5 * std::abs(expected) + 1e-5);
    }
  }
}

TEST(Cb4Scalar, ActivationsAreWithinHalfAStepOfTheirGroup) {
  constexpr int64_t kCols = 192;
  const Floats x(kCols, 8);
  const Cb4Activations a(1, kCols, 32, x);
  int32_t sum = 0;
  for (int64_t i = 0; i < kCols; ++i) {
    const float scale = a.scales[count(i / 32)];
    EXPECT_LE(std::abs(scale * a.bytes[count(i)] - x[i]), scale * 0.5001f);
    sum += a.bytes[count(i)];
  }
  EXPECT_EQ(std::accumulate(a.offsets.begin(), a.offsets.end(), 0), -128 * sum);
}

}  // namespace
}  // namespace cupel

// The slots of the sentence encoder, each row against the scalar one.
#include <cmath>
#include <cstring>

#include "kernels/every_row.h"

namespace cupel {
namespace {

class EncoderKernels : public EveryRow {};

constexpr int64_t kCols[] = {1, 7, 16, 31, 100, 384};
constexpr Element kTypes[] = {Element::f32, Element::f16, Element::bf16};

/// What a slot wrote as `type`, read back; room for one element more, which must stay as it was.
class Typed {
 public:
  Typed(Element type, int64_t size)
      : type_(type), size_(size), bytes_(static_cast<size_t>(size + 1) * width(), char{0x5a}) {}
  void* data() { return bytes_.data(); }
  Floats values(const Kernels& row) const {
    Floats floats(size_, 0);
    if (type_ == Element::f32) {
      std::memcpy(floats.data(), bytes_.data(), static_cast<size_t>(size_) * 4);
    } else {
      row.from_16bit(bytes_.data(), type_, floats.data(), size_);
    }
    return floats;
  }
  bool guarded() const {
    return std::all_of(bytes_.end() - static_cast<std::ptrdiff_t>(width()), bytes_.end(),
                       [](char c) { return c == 0x5a; });
  }

 private:
  size_t width() const { return type_ == Element::f32 ? 4 : 2; }
  Element type_;
  int64_t size_;
  std::vector<char> bytes_;
};

float encoder_tolerance(Element type) {
  return type == Element::f32 ? 1e-6f : type == Element::f16 ? 1e-3f : 8e-3f;
}

TEST_P(EncoderKernels, LayerNormCentresAndScalesEachRow) {
  for (const int64_t cols : kCols) {
    const int64_t rows = 3;
    Floats x(rows * cols, 1, 2.0f);
    const Floats add(cols, 2), weight(cols, 3), bias(cols, 4);
    Floats actual(rows * cols, 5), expected(rows * cols, 6);
    for (int64_t i = 0; i < rows * cols; ++i) x[i] += 30;  // a mean that a single pass would lose
    row->layer_norm(x.data(), add.data(), weight.data(), bias.data(), 1e-3f, actual.data(), rows,
                    cols);
    scalar_row().layer_norm(x.data(), add.data(), weight.data(), bias.data(), 1e-3f,
                            expected.data(), rows, cols);
    expect_near(actual, expected, 1e-5f, 2e-5f);
    row->layer_norm(x.data(), add.data(), weight.data(), bias.data(), 1e-3f, x.data(), rows, cols);
    expect_near(x, actual, 0, 0);
  }
}

TEST_P(EncoderKernels, AddBiasRoundsToEveryType) {
  for (const Element type : kTypes) {
    for (const int64_t cols : kCols) {
      const int64_t rows = 3;
      const Floats x(rows * cols, 1, 2.0f), bias(cols, 2);
      for (const Activation activation : {Activation::none, Activation::gelu}) {
        Typed actual(type, rows * cols), expected(type, rows * cols);
        row->add_bias(x.data(), bias.data(), activation, actual.data(), type, rows, cols);
        scalar_row().add_bias(x.data(), bias.data(), activation, expected.data(), type, rows, cols);
        expect_near(actual.values(*row), expected.values(*row), encoder_tolerance(type), 1e-6f);
        EXPECT_TRUE(actual.guarded());
      }
    }
  }
}

TEST_P(EncoderKernels, GeluIsExactToAMillionth) {
  const int64_t size = 40001;
  Floats x(size, 0), y(size, 0);
  const Floats bias(size, 0, 0.0f);
  for (int64_t i = 0; i < size; ++i) x[i] = static_cast<float>(i - 20000) * 5e-4f;  // -10 … 10
  row->add_bias(x.data(), bias.data(), Activation::gelu, y.data(), Element::f32, 1, size);
  for (int64_t i = 0; i < size; ++i) {
    const double v = x[i], exact = 0.5 * v * std::erfc(-v / std::sqrt(2.0));
    ASSERT_NEAR(y[i], exact, 1e-6 * std::max(1.0, std::abs(v))) << v;
  }
}

TEST_P(EncoderKernels, SoftmaxOfEachRowSumsToOne) {
  for (const Element type : kTypes) {
    for (const int64_t cols : kCols) {
      const int64_t rows = 3, x_stride = cols + 5, y_stride = cols + 2;
      Floats x(rows * x_stride, 1, 5.0f);
      x[0] = 300.0f;  // e^300 is past fp32
      Floats copy = x;
      Typed actual(type, rows * y_stride), expected(type, rows * y_stride);
      row->softmax(x.data(), x_stride, 0.7f, actual.data(), type, y_stride, rows, cols);
      scalar_row().softmax(copy.data(), x_stride, 0.7f, expected.data(), type, y_stride, rows,
                           cols);
      const Floats values = actual.values(*row);
      expect_near(values, expected.values(*row), 3 * encoder_tolerance(type), 1e-6f);
      for (int64_t r = 0; r < rows; ++r) {
        float total = 0;
        for (int64_t i = 0; i < cols; ++i) total += values[r * y_stride + i];
        EXPECT_NEAR(total, 1.0f, encoder_tolerance(type) + 1e-6f);
      }
      EXPECT_TRUE(actual.guarded());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, EncoderKernels, every_row_name(), row_label);

}  // namespace
}  // namespace cupel

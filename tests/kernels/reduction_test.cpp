#include "kernels/every_row.h"

namespace cupel {
namespace {

class Reduction : public EveryRow {};

TEST_P(Reduction, NormalisesByTheRootMeanSquare) {
  for (const int64_t cols : {1, 7, 8, 33, 192, 1000}) {
    const int64_t rows = 3, stride = cols + 5;
    const Floats x(rows * stride, 1, 3.0f), weight(cols, 2);
    Floats actual(rows * cols, 3), expected(rows * cols, 3), actual_rms(rows, 4),
        expected_rms(rows, 4);
    row->rms_norm(x.data(), stride, weight.data(), 1e-6f, actual.data(), actual_rms.data(), rows,
                  cols);
    scalar_row().rms_norm(x.data(), stride, weight.data(), 1e-6f, expected.data(),
                          expected_rms.data(), rows, cols);
    expect_near(actual, expected, 2e-6f, 0);
    expect_near(actual_rms, expected_rms, 2e-6f, 0);
  }
}

TEST_P(Reduction, PassesGradientsBackThroughTheNorm) {
  for (const int64_t cols : {1, 7, 8, 33, 192, 1000}) {
    const int64_t rows = 3, stride = cols + 5;
    const Floats x(rows * stride, 1), weight(cols, 2), grad_y(rows * cols, 3), inv_rms(rows, 4);
    Floats actual(rows * stride, 5), expected = actual, actual_weight(cols, 6),
                                     expected_weight = actual_weight;
    const auto backward = [&](const Kernels& kernels, Floats& grad_x, Floats& grad_weight) {
      kernels.rms_norm_backward(x.data(), stride, weight.data(), inv_rms.data(), grad_y.data(),
                                grad_x.data(), grad_weight.data(), rows, cols);
    };
    backward(*row, actual, actual_weight);
    backward(scalar_row(), expected, expected_weight);
    expect_near(actual, expected, 2e-6f, 2e-6f);
    expect_near(actual_weight, expected_weight, 2e-6f, 2e-6f);
  }
}

TEST_P(Reduction, ComputesTheLossAndItsGradientOverTheLogits) {
  for (const int64_t cols : {1, 2, 7, 8, 9, 1000, 4099}) {
    const int64_t rows = 5;
    Floats actual(rows * cols, 1, 5.0f), expected = actual, actual_loss(rows, 2),
                                         expected_loss(rows, 2);
    const std::vector<int64_t> labels = {0, cols - 1, -1, cols / 2, 0};
    row->cross_entropy(actual.data(), labels.data(), 0.125f, actual_loss.data(), rows, cols);
    scalar_row().cross_entropy(expected.data(), labels.data(), 0.125f, expected_loss.data(), rows,
                               cols);
    expect_near(actual, expected, 2e-6f, 2e-8f);
    expect_near(actual_loss, expected_loss, 1e-6f, 2e-6f);
    EXPECT_EQ(actual_loss[2], 0.0f);
  }
}

TEST_P(Reduction, KeepsTheLossFiniteForHugeLogitsAndNanForNan) {
  Floats logits(20, 1), loss(2, 2);
  for (int64_t i = 0; i < 20; ++i) logits[i] = i % 10 == 3 ? 3e38f : -3e38f;
  logits[15] = NAN;
  const std::vector<int64_t> labels = {3, 3};
  row->cross_entropy(logits.data(), labels.data(), 1.0f, loss.data(), 2, 10);
  EXPECT_EQ(loss[0], 0.0f);
  EXPECT_TRUE(std::isnan(loss[1]));
}

/// Exponentials show through a two-column loss: the gradient of column 0 is e^d / (1 + e^d).
TEST_P(Reduction, TakesExponentialsWithinTwoUnitsInTheLastPlace) {
  double worst = 0;
  for (int i = 1; i < 200000; ++i) {
    const float d = -87.0f * static_cast<float>(i) / 200000.0f;
    float logits[2] = {d, 0.0f}, loss;
    const int64_t label = -1 + 2;
    row->cross_entropy(logits, &label, 1.0f, &loss, 1, 2);
    const double e = std::exp(static_cast<double>(d)), expected = e / (1 + e);
    const double unit = std::ldexp(1.0, std::ilogb(expected) - 23);
    worst = std::max(worst, std::abs(logits[0] - expected) / unit);
  }
  EXPECT_LE(worst, 3.0) << "two for the exponential, one for the division";
}

INSTANTIATE_TEST_SUITE_P(, Reduction, every_row_name(), row_label);

}  // namespace
}  // namespace cupel

// The oracle itself, against LibTorch's own functions and against loops.
#include "nn/formulas_nn.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

at::Tensor random64(const std::vector<int64_t>& sizes, uint64_t seed) {
  return random_tensor(sizes, seed, 1, at::kDouble);
}

TEST(Formulas, AttentionIsScaledDotProductAttentionWhereNothingRotates) {
  const int64_t length = 7, heads = 2, width = 4;
  const AttentionShape shape{heads, heads, 0, width, width, 0.3, false};
  const Positions positions{1,
                            length,
                            at::ones({length, width / 2}, at::kDouble),
                            at::zeros({length, width / 2}, at::kDouble),
                            {}};
  const at::Tensor q = random64({length, heads * width}, 1),
                   k = random64({length, heads * width}, 2);
  const at::Tensor v = random64({length, heads * width}, 3);
  const auto by_head = [&](const at::Tensor& x) {
    return x.view({length, heads, width}).transpose(0, 1);
  };
  const at::Tensor want =
      at::scaled_dot_product_attention(by_head(q), by_head(k), by_head(v), {}, 0.0, true, 0.3);
  EXPECT_LE(relative_gap(formulas::attention(q, k, v, shape, positions),
                         want.transpose(0, 1).reshape({length, heads * width})),
            1e-12);
}

TEST(Formulas, RotationKeepsLengthsAndDependsOnTheDistanceAlone) {
  const at::Tensor angle = at::arange(6, at::kDouble).unsqueeze(1) * 0.7;
  const at::Tensor x = random64({1, 1, 2}, 1).expand({6, 1, 2});
  const at::Tensor y = random64({1, 1, 2}, 2).expand({6, 1, 2});
  const at::Tensor a = formulas::rotate(x, angle.cos(), angle.sin(), false).squeeze(1);
  const at::Tensor b = formulas::rotate(y, angle.cos(), angle.sin(), false).squeeze(1);
  EXPECT_LE(relative_gap(a.norm(2, 1), x.squeeze(1).norm(2, 1)), 1e-12);
  EXPECT_NEAR((a[3] * b[1]).sum().item<double>(), (a[5] * b[3]).sum().item<double>(), 1e-12);
}

TEST(Formulas, CrossEntropyLeavesOutNegativeLabels) {
  const at::Tensor x = random64({5, 3}, 1), w = random64({4, 3}, 2);
  const at::Tensor labels = at::tensor({1, -100, 3, 0, -100}, at::kLong);
  const at::Tensor chances = at::log_softmax(at::matmul(x, w.t()), 1);
  const double want = -(chances[0][1] + chances[2][3] + chances[3][0]).item<double>();
  EXPECT_NEAR(formulas::linear_cross_entropy(x, {w, w}, labels).item<double>(), want, 1e-12);
}

TEST(Formulas, ExpertsAreTheWeightedSumOfChosenUnits) {
  const at::Tensor x = random64({3, 4}, 1), gate_up = random64({2, 6, 4}, 2);
  const at::Tensor down = random64({2, 4, 3}, 3), scores = random64({3, 1}, 4);
  const at::Tensor choices = at::tensor({0, 1, 0}, at::kLong).unsqueeze(1);
  const at::Tensor got =
      formulas::experts(x, scores, choices, {{gate_up, gate_up}, {down, down}, {}});
  for (int64_t t = 0; t < 3; ++t) {
    const int64_t e = choices[t][0].item<int64_t>();
    const at::Tensor both = at::matmul(gate_up[e], x[t]);
    const at::Tensor want =
        at::matmul(down[e], at::silu(both.narrow(0, 0, 3)) * both.narrow(0, 3, 3)) * scores[t][0];
    EXPECT_LE(relative_gap(got[t], want), 1e-12);
  }
}

TEST(Formulas, RmsNormDividesByTheRootMeanSquare) {
  const at::Tensor x = random64({4, 6}, 1), weight = random64({6}, 2);
  const at::Tensor got = formulas::rms_norm(x, weight, 1e-3);
  const at::Tensor want = x / (x.square().mean(1, true) + 1e-3).sqrt() * weight;
  EXPECT_LE(relative_gap(got, want), 1e-12);
}

}  // namespace
}  // namespace cupel::nn

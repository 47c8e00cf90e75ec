#include "nn/recompute_nn.h"

#include <gtest/gtest.h>

#include "nn/memory_nn.h"
#include "support/tensors_nn.h"

namespace cupel::nn {
namespace {

TEST(Recompute, GivesTheGradientsOfInputAndParameters) {
  const at::Tensor w = random_tensor({4, 4}, 1).requires_grad_(true);
  const at::Tensor x = random_tensor({3, 4}, 2).requires_grad_(true);
  const auto body = [&](const at::Tensor& in, bool) { return at::tanh(at::matmul(in, w)); };
  body(x, false).square().sum().backward();
  const at::Tensor want_w = w.grad().clone(), want_x = x.grad().clone();
  w.mutable_grad().reset();
  x.mutable_grad().reset();
  std::vector<bool> calls;
  recompute(
      [&](const at::Tensor& in, bool again) {
        calls.push_back(again);
        return body(in, again);
      },
      x)
      .square()
      .sum()
      .backward();
  EXPECT_TRUE(at::equal(w.grad(), want_w));
  EXPECT_TRUE(at::equal(x.grad(), want_x));
  EXPECT_EQ(calls, (std::vector<bool>{false, true}));
}

TEST(Recompute, LeavesTheGradientsOfParametersAloneIfOnlyTheInputsIsAskedFor) {
  const at::Tensor w = random_tensor({4, 4}, 1).requires_grad_(true);
  const at::Tensor x = random_tensor({3, 4}, 2).requires_grad_(true);
  const auto body = [&](const at::Tensor& in, bool) { return at::tanh(at::matmul(in, w)); };
  const at::Tensor want = torch::autograd::grad({body(x, false).square().sum()}, {x})[0];
  const at::Tensor got = torch::autograd::grad({recompute(body, x).square().sum()}, {x})[0];
  EXPECT_TRUE(at::equal(got, want));
  EXPECT_FALSE(w.grad().defined());
}

TEST(Recompute, KeepsOnlyItsInput) {
  count_tensor_bytes();
  const at::Tensor x = random_tensor({256, 64}, 2).requires_grad_(true);
  const int64_t before = live_tensor_bytes();
  const at::Tensor y =
      recompute([](const at::Tensor& in, bool) { return at::tanh(at::sigmoid(at::tanh(in))); }, x);
  EXPECT_EQ(live_tensor_bytes() - before, 256 * 64 * 4);  // the result alone
}

TEST(Recompute, IsThePlainCallWithoutGradients) {
  at::NoGradGuard no_grad;
  const at::Tensor x = random_tensor({2, 2}, 3);
  EXPECT_TRUE(at::equal(recompute([](const at::Tensor& in, bool) { return in * 2; }, x), x * 2));
}

}  // namespace
}  // namespace cupel::nn

#include "nn/llm/modules_nn.h"

#include <gtest/gtest.h>

#include "support/tensors_nn.h"

namespace cupel::llm {
namespace {

TEST(LinearModule, AddsItsBias) {
  Linear linear(3, 5, true);
  at::NoGradGuard no_grad;
  linear.weight.copy_(random_tensor({3, 5}, 1));
  linear.bias.copy_(random_tensor({3}, 2));
  const at::Tensor x = random_tensor({4, 5}, 3);
  EXPECT_LE(relative_gap(linear.forward(x, {}), at::linear(x, linear.weight, linear.bias)), 1e-6);
}

TEST(LinearModule, RenewsItsSixteenBitCopyWhenTheWeightChanges) {
  Linear linear(2, 2);
  at::NoGradGuard no_grad;
  linear.weight.fill_(1);
  EXPECT_EQ(linear.weight_in(at::kBFloat16).operand.sum().item<float>(), 4);
  const void* before = linear.weight_in(at::kBFloat16).operand.const_data_ptr();
  EXPECT_EQ(linear.weight_in(at::kBFloat16).operand.const_data_ptr(), before);
  linear.weight.fill_(2);
  EXPECT_EQ(linear.weight_in(at::kBFloat16).operand.sum().item<float>(), 8);
}

TEST(PassDropout, GivesEachBranchItsOwnMaskAndTheSameOneAgain) {
  Pass pass;
  pass.dropout = 0.5;
  pass.dropout_key = 4;
  const at::Tensor ones = at::ones({64, 16});
  EXPECT_TRUE(at::equal(pass.drop(ones, 1), pass.drop(ones, 1)));
  EXPECT_FALSE(at::equal(pass.drop(ones, 1), pass.drop(ones, 2)));
  pass.dropout = 0;
  EXPECT_TRUE(at::equal(pass.drop(ones, 1), ones));
}

TEST(MlpModule, IsTheGatedFormulaWithAndWithoutBiases) {
  for (const bool biased : {false, true}) {
    Mlp mlp(6, 10, biased);
    EXPECT_EQ(mlp.is_plain(), !biased);
    at::NoGradGuard no_grad;
    uint64_t seed = 0;
    for (const at::Tensor& weight : mlp.parameters())
      weight.copy_(random_tensor(weight.sizes().vec(), ++seed));
    const at::Tensor x = random_tensor({5, 6}, 9);
    const auto product = [](const Linear& linear, const at::Tensor& input) {
      return at::linear(input, linear.weight, linear.bias);
    };
    const at::Tensor want =
        product(*mlp.down_proj, at::silu(product(*mlp.gate_proj, x)) * product(*mlp.up_proj, x));
    EXPECT_LE(relative_gap(mlp.forward(x, {}), want), 1e-5) << biased;
    const at::Tensor half = mlp.forward(x.to(at::kBFloat16), {});
    EXPECT_EQ(half.scalar_type(), at::kBFloat16);
    EXPECT_LE(relative_gap(half, want), 0.03) << biased;
  }
}

}  // namespace
}  // namespace cupel::llm

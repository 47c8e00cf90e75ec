#include "nn/optimizer_nn.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/atomic_file.h"
#include "base/json.h"
#include "data/safetensors.h"

namespace cupel::nn {
namespace {

/// One matrix of one row, so that weight decay applies.
struct Vector : torch::nn::Module {
  explicit Vector(int64_t size) { value = register_parameter("value", at::zeros({1, size})); }
  at::Tensor value;
};

at::Tensor tensor_of(const TensorEntry& entry, int64_t row, int64_t size) {
  at::Tensor tensor = at::empty({1, size}, at::kFloat);
  const auto bytes = static_cast<std::size_t>(size) * sizeof(float);
  std::memcpy(tensor.data_ptr(), entry.data + static_cast<std::size_t>(row) * bytes, bytes);
  return tensor;
}

TEST(AdamW, FollowsPyTorchsFusedAdamWForTwentySteps) {
  const std::filesystem::path folder = CUPEL_SOURCE_DIR "/tests/fixtures/adamw";
  const json::Value settings = json::parse(read_file(folder / "adamw.json"), "adamw.json");
  const Safetensors fixture = Safetensors::open(folder / "adamw.safetensors");
  FitConfig config;
  config.adam_beta1 = settings.at("beta1", "").as_double("");
  config.adam_beta2 = settings.at("beta2", "").as_double("");
  config.adam_epsilon = settings.at("epsilon", "").as_double("");
  config.weight_decay = settings.at("weight_decay", "").as_double("");
  const json::Array& rates = settings.at("learning_rate", "").as_array("");
  const int64_t size = fixture.find("start")->bytes / 4;
  Vector module(size);
  {
    at::NoGradGuard no_grad;
    module.value.copy_(tensor_of(*fixture.find("start"), 0, size));
  }
  AdamW optimizer(module, config);
  for (std::size_t step = 0; step < rates.size(); ++step) {
    const auto row = static_cast<int64_t>(step);
    module.value.mutable_grad() = tensor_of(*fixture.find("gradient"), row, size);
    optimizer.step(rates[step].as_double(""), 1.0f);
    const auto distance = [&](const at::Tensor& ours, const char* name) {
      const at::Tensor theirs = tensor_of(*fixture.find(name), row, size);
      return ((ours - theirs).abs().max() / theirs.abs().max()).item<double>();
    };
    ASSERT_LE(distance(module.value.detach(), "parameter"), 1e-6) << "step " << step;
    ASSERT_LE(distance(optimizer.parameters()[0].first_moment, "first_moment"), 1e-6)
        << "step " << step;
    ASSERT_LE(distance(optimizer.parameters()[0].second_moment, "second_moment"), 1e-6)
        << "step " << step;
  }
}

/// A matrix and a vector, of which only the first decays.
struct MatrixAndVector : torch::nn::Module {
  MatrixAndVector() {
    matrix = register_parameter("matrix", at::full({3, 4}, 0.5));
    vector = register_parameter("vector", at::full({4}, -0.25));
  }
  at::Tensor matrix, vector;
};

TEST(AdamW, TakesTheSameStepsByTheKernelAndByLibTorch) {
  FitConfig config;
  config.weight_decay = 0.1;
  MatrixAndVector one, other;
  AdamW by_kernel(one, config), by_libtorch(other, config);
  AdamWArgs args{};
  args.gradient_factor = 0.5f;
  args.learning_rate = 1e-2f;
  args.beta1 = static_cast<float>(config.adam_beta1);
  args.beta2 = static_cast<float>(config.adam_beta2);
  args.epsilon = static_cast<float>(config.adam_epsilon);
  for (int64_t step = 1; step <= 10; ++step) {
    for (MatrixAndVector* module : {&one, &other}) {
      module->matrix.mutable_grad() = at::arange(12, at::kFloat).view({3, 4}) - 3 * step;
      module->vector.mutable_grad() = at::arange(4, at::kFloat) - step;
    }
    by_kernel.step(1e-2, 0.5f);
    step_by_libtorch(by_libtorch.parameters(), args, config.weight_decay, step);
  }
  EXPECT_TRUE(at::allclose(one.matrix, other.matrix, 0, 1e-6));
  EXPECT_TRUE(at::allclose(one.vector, other.vector, 0, 1e-6));
}

TEST(AdamW, TheGradientsNormIsNotFiniteExactlyIfSomeGradientIsNot) {
  Vector module(100'000);
  AdamW optimizer(module, {});
  module.value.mutable_grad() = at::full({1, 100'000}, std::numeric_limits<float>::max());
  EXPECT_TRUE(std::isfinite(optimizer.gradient_sum_of_squares()));
  module.value.mutable_grad()[0][77'777] = std::numeric_limits<float>::infinity();
  EXPECT_FALSE(std::isfinite(optimizer.gradient_sum_of_squares()));
  module.value.mutable_grad()[0][77'777] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(std::isfinite(optimizer.gradient_sum_of_squares()));
}

TEST(AdamW, AStepTellsCopiesOfTheWeightThatItChanged) {
  Vector module(8);
  AdamW optimizer(module, {});
  const auto before = module.value._version();
  module.value.mutable_grad() = at::ones({1, 8});
  optimizer.step(0.1, 1.0f);
  EXPECT_GT(module.value._version(), before);
}

/// sum of i * x_i² / 2 over a matrix large enough for moments of a byte, and a small one.
struct Parabola : torch::nn::Module {
  Parabola() {
    large = register_parameter("large", at::ones({64, 100}));
    small = register_parameter("small", at::ones({10}));
  }
  at::Tensor loss() const {
    const at::Tensor scale = at::arange(1, 6401, at::kFloat).view({64, 100}) / 640;
    return (scale * large * large).sum() / 2 + small.sum();
  }
  at::Tensor large, small;
};

at::Tensor after_steps(const FitConfig& config, int steps) {
  Parabola module;
  AdamW optimizer(module, config);
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    module.loss().backward();
    optimizer.step(1e-2, 1.0f);
  }
  return module.large.detach().clone();
}

TEST(AdamW, MomentsOfAByteMoveTheWeightsAlmostAsFullOnesDo) {
  FitConfig full, bytes;
  bytes.optimizer = OptimizerKind::adamw_8bit;
  const at::Tensor expected = after_steps(full, 50), actual = after_steps(bytes, 50);
  const double moved = (expected - 1).norm().item<double>();
  const double apart = (actual - expected).norm().item<double>();
  EXPECT_GT(moved, 10);
  EXPECT_LT(apart / moved, 0.01);
  EXPECT_GT(apart, 0) << "the moments were not rounded";
}

TEST(AdamW, SmallParametersKeepFullMoments) {
  Parabola module;
  FitConfig config;
  config.optimizer = OptimizerKind::adamw_8bit;
  const AdamW optimizer(module, config);
  EXPECT_EQ(optimizer.parameters()[0].first_moment.scalar_type(), at::kByte);
  EXPECT_EQ(optimizer.parameters()[0].first_scale.numel(), 25);
  EXPECT_EQ(optimizer.parameters()[1].first_moment.scalar_type(), at::kFloat);
  EXPECT_FALSE(optimizer.parameters()[1].first_scale.defined());
}

TEST(AdamW, GradientsOfSixteenBitsStandInPlaceOfFullOnes) {
  Parabola module;
  FitConfig config;
  config.grad_accum_dtype = GradientDtype::bf16;
  AdamW optimizer(module, config);
  module.loss().backward();
  module.loss().backward();  // a second micro-batch
  const OptimizedParameter& large = optimizer.parameters()[0];
  EXPECT_FALSE(module.large.grad().defined());
  ASSERT_EQ(large.gradient.scalar_type(), at::kBFloat16);
  const at::Tensor exact = 2 * at::arange(1, 6401, at::kFloat).view({64, 100}) / 640;
  EXPECT_LT(((large.gradient.to(at::kFloat) - exact).abs() / exact).max().item<double>(), 0x1p-8);
  const double squares = exact.square().sum().item<double>() + 10 * 4;
  EXPECT_NEAR(optimizer.gradient_sum_of_squares() / squares, 1, 1e-3);
  optimizer.zero_grad();
  EXPECT_EQ(optimizer.gradient_sum_of_squares(), 0);
}

TEST(AdamW, GradientsOfSixteenBitsMoveTheWeightsAlmostAsFullOnesDo) {
  FitConfig full, narrow;
  narrow.grad_accum_dtype = GradientDtype::bf16;
  const at::Tensor expected = after_steps(full, 50);
  for (const OptimizerKind kind : {OptimizerKind::adamw, OptimizerKind::adamw_8bit}) {
    narrow.optimizer = kind;
    const at::Tensor actual = after_steps(narrow, 50);
    EXPECT_LT((actual - expected).norm().item<double>() / (expected - 1).norm().item<double>(),
              0.01);
  }
}

TEST(AdamW, LeavesNoHookBehind) {
  Parabola module;
  FitConfig config;
  config.grad_accum_dtype = GradientDtype::bf16;
  { const AdamW optimizer(module, config); }
  module.loss().backward();
  EXPECT_TRUE(module.large.grad().defined());
}

}  // namespace
}  // namespace cupel::nn

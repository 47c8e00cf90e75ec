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

}  // namespace
}  // namespace cupel::nn

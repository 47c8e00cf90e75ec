#include "nn/optimizer_nn.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/kernels.h"

namespace cupel::nn {
namespace {

// Small enough to spread over threads, and fixed, so that sums do not depend on how many there are.
constexpr int64_t kChunk = 1 << 15;

struct Chunk {
  std::size_t parameter;
  int64_t begin, size;
};

std::vector<Chunk> chunks_with_gradients(const std::vector<OptimizedParameter>& parameters) {
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].value.grad().defined()) continue;
    const int64_t size = parameters[i].value.numel();
    for (int64_t begin = 0; begin < size; begin += kChunk) {
      chunks.push_back({i, begin, std::min(kChunk, size - begin)});
    }
  }
  return chunks;
}

const float* gradient(const OptimizedParameter& parameter) {
  const at::Tensor& grad = parameter.value.grad();
  CUPEL_ASSERT(grad.is_contiguous() && grad.scalar_type() == at::kFloat);
  return grad.const_data_ptr<float>();
}

template <class Body>
void for_each_chunk(const std::vector<Chunk>& chunks, const Body& body) {
  at::parallel_for(0, static_cast<int64_t>(chunks.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(static_cast<std::size_t>(i));
  });
}

}  // namespace

AdamW::AdamW(const torch::nn::Module& module, const FitConfig& config) : config_(config) {
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const at::Tensor value = item.value();
    CUPEL_ASSERT(value.is_contiguous() && value.scalar_type() == at::kFloat && value.is_cpu());
    at::NoGradGuard no_grad;
    parameters_.push_back(
        {item.key(), value, at::zeros_like(value), at::zeros_like(value), value.dim() >= 2});
  }
}

void AdamW::zero_grad() {
  for (OptimizedParameter& parameter : parameters_) parameter.value.mutable_grad().reset();
}

double AdamW::gradient_sum_of_squares() const {
  const std::vector<Chunk> chunks = chunks_with_gradients(parameters_);
  std::vector<double> sums(chunks.size());
  for_each_chunk(chunks, [&](std::size_t i) {
    const Chunk& chunk = chunks[i];
    sums[i] =
        kernels().sum_of_squares(gradient(parameters_[chunk.parameter]) + chunk.begin, chunk.size);
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

void AdamW::step(double learning_rate, float factor) {
  ++steps_;
  const auto t = static_cast<double>(steps_);
  AdamWArgs shared{};
  shared.gradient_factor = factor;
  shared.learning_rate = static_cast<float>(learning_rate);
  shared.beta1 = static_cast<float>(config_.adam_beta1);
  shared.beta2 = static_cast<float>(config_.adam_beta2);
  shared.epsilon = static_cast<float>(config_.adam_epsilon);
  shared.bias_correction1 = static_cast<float>(1 - std::pow(config_.adam_beta1, t));
  shared.bias_correction2 = static_cast<float>(1 - std::pow(config_.adam_beta2, t));
  const std::vector<Chunk> chunks = chunks_with_gradients(parameters_);
  for_each_chunk(chunks, [&](std::size_t i) {
    const Chunk& chunk = chunks[i];
    OptimizedParameter& parameter = parameters_[chunk.parameter];
    AdamWArgs args = shared;
    args.size = chunk.size;
    args.weight_decay = parameter.decay ? static_cast<float>(config_.weight_decay) : 0.0f;
    args.parameter = parameter.value.mutable_data_ptr<float>() + chunk.begin;
    args.gradient = gradient(parameter) + chunk.begin;
    args.first_moment = parameter.first_moment.mutable_data_ptr<float>() + chunk.begin;
    args.second_moment = parameter.second_moment.mutable_data_ptr<float>() + chunk.begin;
    kernels().adamw(args);
  });
  // The kernel wrote through raw pointers: copies of the weights must notice.
  for (OptimizedParameter& parameter : parameters_) {
    parameter.value.unsafeGetTensorImpl()->bump_version();
  }
}

}  // namespace cupel::nn

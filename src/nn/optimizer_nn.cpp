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

constexpr int64_t kWidened = 4096;  // elements of a 16-bit gradient that are floats at a time
static_assert(kChunk % kWidened == 0 && kWidened % kMomentBlock == 0);

/// Undefined if the backward pass left none.
const at::Tensor& gradient_of(const OptimizedParameter& parameter) {
  return parameter.gradient.defined() ? parameter.gradient : parameter.value.grad();
}

std::vector<Chunk> chunks_with_gradients(const std::vector<OptimizedParameter>& parameters) {
  std::vector<Chunk> chunks;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const at::Tensor& gradient = gradient_of(parameters[i]);
    if (!gradient.defined()) continue;
    CUPEL_ASSERT(gradient.is_contiguous());
    const int64_t size = parameters[i].value.numel();
    for (int64_t begin = 0; begin < size; begin += kChunk) {
      chunks.push_back({i, begin, std::min(kChunk, size - begin)});
    }
  }
  return chunks;
}

/// Calls body(offset, floats, count) over a chunk of a gradient.
template <class Body>
void for_each_float(const at::Tensor& gradient, int64_t begin, int64_t size, const Body& body) {
  if (gradient.scalar_type() == at::kFloat)
    return body(0, gradient.const_data_ptr<float>() + begin, size);
  const auto* bits = static_cast<const uint16_t*>(gradient.const_data_ptr()) + begin;
  float floats[kWidened];
  for (int64_t at = 0; at < size; at += kWidened) {
    const int64_t count = std::min(kWidened, size - at);
    kernels().from_16bit(bits + at, Element::bf16, floats, count);
    body(at, floats, count);
  }
}

/// Moves what a backward pass leaves in value.grad() to a 16-bit tensor, parameter by parameter, so
/// that the fp32 gradients never stand together.
class NarrowGradient : public torch::autograd::PostAccumulateGradHook {
 public:
  explicit NarrowGradient(at::Tensor& narrow) : narrow_(narrow) {}
  void operator()(const at::Tensor& value) override {
    at::NoGradGuard no_grad;
    at::Tensor& grad = value.mutable_grad();
    narrow_ = narrow_.defined() ? narrow_.add_(grad) : grad.to(at::kBFloat16);
    grad.reset();
  }

 private:
  at::Tensor& narrow_;
};

OptimizedParameter optimized(const std::string& name, const at::Tensor& value, OptimizerKind kind) {
  OptimizedParameter out{name, value, {}, {}, {}, {}, {}, value.dim() >= 2};
  if (kind == OptimizerKind::adamw_8bit && value.numel() >= kSmallest8bit) {
    const int64_t blocks = (value.numel() + kMomentBlock - 1) / kMomentBlock;
    out.first_moment = at::full({value.numel()}, 128, at::kByte);  // the code of 0
    out.second_moment = at::zeros({value.numel()}, at::kByte);
    out.first_scale = at::zeros({blocks}, at::kFloat);
    out.second_scale = at::zeros({blocks}, at::kFloat);
  } else {
    out.first_moment = at::zeros_like(value);
    out.second_moment = at::zeros_like(value);
  }
  return out;
}

/// One transfer for all of them.
double sum_of_squares_on_gpu(const std::vector<OptimizedParameter>& parameters) {
  at::Tensor total;
  for (const OptimizedParameter& parameter : parameters) {
    if (!gradient_of(parameter).defined()) continue;
    const at::Tensor sum = gradient_of(parameter).to(at::kDouble).square().sum();
    total = total.defined() ? total + sum : sum;
  }
  return total.defined() ? total.item<double>() : 0;
}

template <class Body>
void for_each_chunk(const std::vector<Chunk>& chunks, const Body& body) {
  at::parallel_for(0, static_cast<int64_t>(chunks.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(static_cast<std::size_t>(i));
  });
}

}  // namespace

AdamW::AdamW(const torch::nn::Module& module, const FitConfig& config) : config_(config) {
  at::NoGradGuard no_grad;
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const at::Tensor& value = item.value();
    CUPEL_ASSERT(value.is_contiguous() && value.scalar_type() == at::kFloat);
    parameters_.push_back(optimized(item.key(), value, config.optimizer));
  }
  if (config.grad_accum_dtype == GradientDtype::fp32) return;
  for (OptimizedParameter& parameter : parameters_)
    torch::autograd::impl::set_post_acc_grad_hooks(
        parameter.value, std::make_unique<NarrowGradient>(parameter.gradient));
}

AdamW::~AdamW() {
  if (config_.grad_accum_dtype == GradientDtype::fp32) return;
  for (const OptimizedParameter& parameter : parameters_)
    torch::autograd::impl::set_post_acc_grad_hooks(parameter.value, nullptr);
}

void AdamW::zero_grad() {
  for (OptimizedParameter& parameter : parameters_) {
    parameter.value.mutable_grad().reset();
    parameter.gradient.reset();
  }
}

bool AdamW::on_gpu() const { return !parameters_.empty() && !parameters_[0].value.is_cpu(); }

double AdamW::gradient_sum_of_squares() const {
  if (on_gpu()) return sum_of_squares_on_gpu(parameters_);
  const std::vector<Chunk> chunks = chunks_with_gradients(parameters_);
  std::vector<double> sums(chunks.size());
  for_each_chunk(chunks, [&](std::size_t i) {
    const Chunk& chunk = chunks[i];
    for_each_float(gradient_of(parameters_[chunk.parameter]), chunk.begin, chunk.size,
                   [&](int64_t, const float* floats, int64_t count) {
                     sums[i] += kernels().sum_of_squares(floats, count);
                   });
  });
  double total = 0;
  for (double sum : sums) total += sum;
  return total;
}

/// args: everything but the pointers, its size that of the chunk.
void AdamW::update(OptimizedParameter& parameter, int64_t begin, AdamWArgs args) {
  args.weight_decay = parameter.decay ? static_cast<float>(config_.weight_decay) : 0.0f;
  args.parameter = parameter.value.mutable_data_ptr<float>() + begin;
  const at::Tensor& gradient = gradient_of(parameter);
  if (parameter.first_scale.defined()) {
    const bool wide = gradient.scalar_type() == at::kFloat;
    const int64_t block = begin / kMomentBlock;
    kernels().adamw8({args,
                      static_cast<const char*>(gradient.const_data_ptr()) +
                          begin * static_cast<int64_t>(gradient.element_size()),
                      wide ? Element::f32 : Element::bf16,
                      parameter.first_moment.mutable_data_ptr<uint8_t>() + begin,
                      parameter.second_moment.mutable_data_ptr<uint8_t>() + begin,
                      parameter.first_scale.mutable_data_ptr<float>() + block,
                      parameter.second_scale.mutable_data_ptr<float>() + block});
    return;
  }
  float* first = parameter.first_moment.mutable_data_ptr<float>() + begin;
  float* second = parameter.second_moment.mutable_data_ptr<float>() + begin;
  for_each_float(gradient, begin, args.size, [&](int64_t at, const float* floats, int64_t count) {
    AdamWArgs part = args;
    part.size = count;
    part.parameter += at;
    part.gradient = floats;
    part.first_moment = first + at;
    part.second_moment = second + at;
    kernels().adamw(part);
  });
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
  if (on_gpu()) return step_by_libtorch(parameters_, shared, config_.weight_decay, steps_);
  const std::vector<Chunk> chunks = chunks_with_gradients(parameters_);
  for_each_chunk(chunks, [&](std::size_t i) {
    const Chunk& chunk = chunks[i];
    AdamWArgs args = shared;
    args.size = chunk.size;
    update(parameters_[chunk.parameter], chunk.begin, args);
  });
  // The kernel wrote through raw pointers: copies of the weights must notice.
  for (OptimizedParameter& parameter : parameters_) {
    parameter.value.unsafeGetTensorImpl()->bump_version();
  }
}

void step_by_libtorch(std::vector<OptimizedParameter>& parameters, const AdamWArgs& args,
                      double weight_decay, int64_t steps) {
  at::NoGradGuard no_grad;
  for (const bool decay : {false, true}) {
    std::vector<at::Tensor> values, gradients, first, second, counts;
    for (const OptimizedParameter& parameter : parameters) {
      if (parameter.decay != decay || !gradient_of(parameter).defined()) continue;
      CUPEL_ASSERT(!parameter.first_scale.defined());
      values.push_back(parameter.value);
      gradients.push_back(gradient_of(parameter).to(at::kFloat) * args.gradient_factor);
      first.push_back(parameter.first_moment);
      second.push_back(parameter.second_moment);
      counts.push_back(at::full({}, static_cast<double>(steps), parameter.first_moment.options()));
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, gradients, first, second, {}, counts, args.learning_rate, args.beta1,
                      args.beta2, decay ? weight_decay : 0, args.epsilon, /*amsgrad=*/false,
                      /*maximize=*/false);
  }
}

}  // namespace cupel::nn

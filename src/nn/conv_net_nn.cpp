#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "base/error.h"
#include "nn/batch_nn.h"
#include "nn/conv_net.h"
#include "nn/device_nn.h"
#include "nn/distillation_nn.h"
#include "nn/fit.h"
#include "nn/memory_nn.h"

namespace cupel::nn {
namespace {

constexpr int64_t kImagesTogether = 256;  // of a pass without gradients

at::Tensor tensor_of(const std::vector<float>& values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).clone();
}

class ConvModule : public torch::nn::Module {
 public:
  explicit ConvModule(const ConvNet& net) : net_(net) {
    for (const ConvLayer& layer : net.layers) {
      const std::string name = "conv" + std::to_string(weights_.size());
      weights_.push_back(register_parameter(
          name + "_weight",
          tensor_of(layer.weight, {layer.out, layer.in, layer.kernel, layer.kernel})));
      biases_.push_back(register_parameter(name + "_bias", tensor_of(layer.bias, {layer.out})));
    }
    weights_.push_back(register_parameter(
        "head_weight", tensor_of(net.head_weight, {net.classes, net.features()})));
    biases_.push_back(register_parameter("head_bias", tensor_of(net.head_bias, {net.classes})));
  }

  /// [B, classes] of images [B, channels * height * width].
  at::Tensor logits(const at::Tensor& images) const {
    at::Tensor x = images.reshape({-1, net_.channels, net_.height, net_.width});
    for (std::size_t i = 0; i < net_.layers.size(); ++i) {
      const ConvLayer& layer = net_.layers[i];
      x = at::relu(at::conv2d(x, weights_[i], biases_[i], 1, layer.kernel / 2));
      if (layer.pool) x = at::max_pool2d(x, 2);
    }
    return at::linear(x.flatten(1), weights_.back(), biases_.back());
  }

  void store(ConvNet& net) const {
    const auto copy = [](const at::Tensor& from, std::vector<float>& to) {
      std::copy_n(from.const_data_ptr<float>(), to.size(), to.data());
    };
    for (std::size_t i = 0; i < net.layers.size(); ++i) {
      copy(weights_[i], net.layers[i].weight);
      copy(biases_[i], net.layers[i].bias);
    }
    copy(weights_.back(), net.head_weight);
    copy(biases_.back(), net.head_bias);
  }

 private:
  const ConvNet& net_;
  std::vector<at::Tensor> weights_, biases_;  // of the convolutions, then of the head
};

/// Micro-batches of a fresh permutation each epoch; the last of an epoch may be smaller.
class ImageOrder {
 public:
  ImageOrder(const ImageRows& rows, int64_t pixels, int64_t rows_a_batch, const Run& run)
      : rows_(rows), pixels_(pixels), rows_a_batch_(rows_a_batch), run_(run) {}

  int64_t batches_per_epoch() const { return (count() + rows_a_batch_ - 1) / rows_a_batch_; }

  Batch batch(int64_t index) {
    const int64_t epoch = index / batches_per_epoch();
    if (epoch != epoch_) {
      order_.resize(rows_.labels.size());
      std::iota(order_.begin(), order_.end(), std::size_t{0});
      run_.stream("order of images", static_cast<uint64_t>(epoch)).shuffle(order_);
      epoch_ = epoch;
    }
    const int64_t begin = index % batches_per_epoch() * rows_a_batch_;
    const int64_t size = std::min(rows_a_batch_, count() - begin);
    Batch batch;
    batch.inputs = at::empty({size, pixels_}, at::kFloat);
    batch.labels = at::empty({size}, at::kLong);
    for (int64_t i = 0; i < size; ++i) {
      const std::size_t row = order_[static_cast<std::size_t>(begin + i)];
      std::copy_n(rows_.pixels.data() + static_cast<int64_t>(row) * pixels_, pixels_,
                  batch.inputs.mutable_data_ptr<float>() + i * pixels_);
      batch.labels.mutable_data_ptr<int64_t>()[i] = rows_.labels[row];
    }
    batch.weight = static_cast<double>(size);
    batch.index = index;
    return batch;
  }

 private:
  int64_t count() const { return static_cast<int64_t>(rows_.labels.size()); }

  const ImageRows& rows_;
  int64_t pixels_, rows_a_batch_;
  const Run& run_;
  int64_t epoch_ = -1;
  std::vector<std::size_t> order_;
};

/// Summed over images.
at::Tensor loss_of(const at::Tensor& logits, const Batch& batch, const ConvModule* teacher,
                   const ConvFitConfig& config) {
  const at::Tensor labels = at::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::Sum);
  if (teacher == nullptr) return labels;
  at::Tensor answers;
  {
    at::NoGradGuard no_grad;
    answers = teacher->logits(batch.inputs);
  }
  return config.label_weight * labels +
         (1 - config.label_weight) * distillation_loss(answers, logits, config.temperature);
}

}  // namespace

double fit_conv_net(ConvNet& net, const ConvNet* teacher, const ImageRows& rows,
                    const ConvFitConfig& config, Run& run) {
  const int64_t pixels = net.channels * net.height * net.width;
  CUPEL_ASSERT(!rows.labels.empty() &&
               rows.pixels.size() == rows.labels.size() * static_cast<std::size_t>(pixels));
  count_tensor_bytes();
  keep_freed_memory();
  use_threads(run.threads());
  ConvModule module(net);
  std::optional<ConvModule> taught;
  if (teacher != nullptr) taught.emplace(*teacher);
  FitConfig fit_config;
  fit_config.micro_batch_size = config.micro_batch_size;
  fit_config.num_epochs = config.num_epochs;
  fit_config.learning_rate = config.learning_rate;
  fit_config.min_lr_ratio = 0.02;
  fit_config.adam_beta2 = 0.999;
  fit_config.weight_decay = 0.01;
  fit_config.eval_steps = 0;
  FitModel model;
  model.module = &module;
  model.loss = [&](const Batch& batch) {
    return loss_of(module.logits(batch.inputs), batch, taught ? &*taught : nullptr, config);
  };
  ImageOrder order(rows, pixels, config.micro_batch_size, run);
  FitData data;
  data.micro_batches_per_epoch = order.batches_per_epoch();
  data.micro_batch = [&](int64_t index) { return order.batch(index); };
  const FitReport report = fit(fit_config, {}, model, data, {}, run);
  at::NoGradGuard no_grad;
  module.store(net);
  return report.train_loss;
}

std::vector<float> conv_net_logits(const ConvNet& net, std::span<const float> pixels, Run& run) {
  at::NoGradGuard no_grad;
  use_threads(run.threads());
  const ConvModule module(net);
  const int64_t size = net.channels * net.height * net.width;
  const int64_t count = static_cast<int64_t>(pixels.size()) / size;
  std::vector<float> logits(static_cast<std::size_t>(count * net.classes));
  for (int64_t begin = 0; begin < count; begin += kImagesTogether) {
    run.stop_if_asked();
    const int64_t images = std::min(kImagesTogether, count - begin);
    const at::Tensor input =
        at::from_blob(const_cast<float*>(pixels.data() + begin * size), {images, size}, at::kFloat);
    const at::Tensor out = module.logits(input).contiguous();
    std::copy_n(out.const_data_ptr<float>(), images * net.classes,
                logits.data() + begin * net.classes);
  }
  return logits;
}

}  // namespace cupel::nn

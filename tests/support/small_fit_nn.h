// A small regression problem for the training loop: network, data and settings.
#pragma once

#include <cmath>
#include <filesystem>
#include <limits>
#include <vector>

#include "base/rng.h"
#include "base/run.h"
#include "nn/batch_nn.h"
#include "nn/fit.h"
#include "support/tensors_nn.h"

namespace cupel::nn {

inline constexpr int64_t kRows = 6, kColumns = 5;

/// Two layers with seeded dropout between them, on random regression data.
struct Network : torch::nn::Module {
  Network() {
    Rng rng(11, "weights");
    first = register_parameter("first", random_tensor(rng, {8, kColumns}) * 0.3);
    bias = register_parameter("bias", at::zeros({8}));
    second = register_parameter("second", random_tensor(rng, {1, 8}) * 0.3);
    seen = register_buffer("seen", at::zeros({1}));
  }
  at::Tensor loss(const Batch& batch) {
    at::Tensor hidden = at::tanh(at::linear(batch.inputs, first, bias));
    if (dropout) {
      Rng rng(5, "dropout", static_cast<uint64_t>(micro_batch));
      at::Tensor keep = at::empty_like(hidden);
      for (int64_t i = 0; i < keep.numel(); ++i)
        keep.data_ptr<float>()[i] = rng.uniform() < 0.8 ? 1.25f : 0.0f;
      hidden = hidden * keep;
    }
    return (at::linear(hidden, second).squeeze(1) - batch.labels.to(at::kFloat)).square().sum();
  }
  at::Tensor first, bias, second, seen;
  bool dropout = true;
  int64_t micro_batch = 0;
};

inline Batch make_batch(int64_t index, int64_t rows = kRows) {
  Rng rng(3, "data", static_cast<uint64_t>(index));
  Batch batch;
  batch.inputs = random_tensor(rng, {rows, kColumns});
  batch.labels = batch.inputs.sum(1).round().to(at::kLong);
  batch.weight = static_cast<double>(rows);
  return batch;
}

struct Trainer {
  Network network;
  FitModel model;
  FitData data;
  Trainer() {
    model.module = &network;
    model.loss = [this](const Batch& batch) { return network.loss(batch); };
    model.begin_micro_batch = [this](int64_t index) { network.micro_batch = index; };
    model.end_step = [this] { network.seen += 1; };
    data.micro_batches_per_epoch = 10;
    data.micro_batch = [](int64_t index) { return make_batch(index); };
    data.validate = [this] { return network.second.detach().abs().sum().item<double>(); };
  }
};

inline FitConfig small_config() {
  FitConfig config;
  config.max_steps = 30;
  config.gradient_accumulation_steps = 2;
  config.learning_rate = 0.02;
  config.logging_steps = 4;
  config.eval_steps = 7;
  config.save_steps = 5;
  config.save_total_limit = 2;
  return config;
}

inline RunOptions fit_options(const std::filesystem::path& folder, bool resume = false) {
  RunOptions options;
  options.folder = folder;
  options.threads = 1;
  options.resume = resume;
  options.clock = [] { return 0.0; };
  return options;
}

/// Losses of the steps [begin, end) are not finite; steps counted over all batches ever asked for.
inline void break_steps(Trainer& trainer, std::vector<std::pair<int64_t, int64_t>> stretches) {
  trainer.data.micro_batch = [stretches = std::move(stretches)](int64_t index) {
    Batch batch = make_batch(index);
    const int64_t step = index / small_config().gradient_accumulation_steps;
    for (const auto& [begin, end] : stretches) {
      if (step >= begin && step < end) batch.inputs.fill_(std::numeric_limits<float>::quiet_NaN());
    }
    return batch;
  };
}

}  // namespace cupel::nn

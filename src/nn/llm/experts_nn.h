// Mixture of experts, routed by sigmoid scores with a balancing bias (DeepSeek-V3) or by softmax
// scores (DeepSeek-V2, Qwen3), beside a shared expert or none.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "nn/llm/config.h"
#include "nn/llm/modules_nn.h"

namespace cupel::llm {

/// The router's weights [experts, width] and, of sigmoid scores, the balancing bias [experts].
/// Everything is fp32.
class Router : public torch::nn::Module {
 public:
  explicit Router(const ModelConfig& config);

  struct Choice {
    at::Tensor scores, experts;  // [T, num_experts_per_tok]
  };
  /// Chooses by sigmoid + bias within the topk_group best groups (a group's score is the sum of its
  /// two best); weighs by the sigmoid alone (DeepSeek-V3, section 2.1.2). By softmax: both by the
  /// chance; a group's score is its best (DeepSeek-V2, section 2.2.2).
  Choice forward(const at::Tensor& x);

  at::Tensor weight, bias;  // bias: undefined with softmax

 private:
  at::Tensor choose(const at::Tensor& scores) const;

  int64_t per_token_, groups_, kept_groups_;
  double scaling_;
  bool normalise_;
};

/// The routed experts' weights of one layer.
class ExpertBank : public torch::nn::Module {
 public:
  explicit ExpertBank(const ModelConfig& config);
  nn::ExpertWeights weights_in(at::ScalarType storage);

  at::Tensor gate_up_proj, down_proj;  // [experts, 2 * inner, width], [experts, width, inner]

 private:
  nn::WeightCopy gate_up_copy_, down_copy_;
};

/// The feed-forward part of a block: for each token the sum of its chosen experts, weighed by the
/// router, and of the shared expert, where there is one.
class Experts : public torch::nn::Module {
 public:
  explicit Experts(const ModelConfig& config);
  /// x [T, width], normalised, in the pass's storage; the output of the same shape.
  at::Tensor forward(const at::Tensor& x, const Pass& pass);

  /// Tokens each expert was given since begin_step(); padding and recomputed passes do not count.
  const std::vector<int64_t>& load() const { return load_; }
  void begin_step();
  /// That of all processes of a run in the place of this one's.
  void set_load(std::vector<int64_t> load) { load_ = std::move(load); }
  /// bias += rate * sign(mean load - load). Softmax routers have no bias: nothing happens.
  void update_bias(double rate);

 private:
  void count(const at::Tensor& chosen, const Pass& pass);

  std::shared_ptr<Router> gate_;
  std::shared_ptr<ExpertBank> experts_;
  std::shared_ptr<Mlp> shared_experts_;
  std::vector<int64_t> load_;
};

}  // namespace cupel::llm

// Linear and norm as modules, and what every part of the decoder is told about the pass it is in.
#pragma once

#include <memory>
#include <string>

#include "nn/ops_nn.h"

namespace cupel::llm {

/// One forward pass through the decoder.
struct Pass {
  nn::Positions positions;
  at::ScalarType storage = at::kFloat;  // of what matrix products read and write
  double dropout = 0;
  uint64_t dropout_key = 0;
  double adapter_dropout = 0;  // of what adapters read
  bool count_load = false;     // false while activations are computed again
  at::Tensor counted{};        // [T] bool: tokens that a load counts, not padding; undefined: all

  /// Drops elements of a branch's output; `site` tells the branches of a model apart.
  at::Tensor drop(const at::Tensor& branch, uint64_t site) const;
};

/// y = x · weightᵀ + bias, and the term of a low-rank adapter where it was given one. Weight [out,
/// in] fp32, read in 16 bit where the pass says so.
class Linear : public torch::nn::Module {
 public:
  Linear(int64_t out, int64_t in, bool has_bias = false);
  nn::Weight weight_in(at::ScalarType storage) { return copy_.get(weight, storage); }
  /// x [T, in] to [T, out], in x's type.
  at::Tensor forward(const at::Tensor& x, const Pass& pass);
  /// Adds to x · weightᵀ the adapter's term and the bias, where there are any.
  at::Tensor finish(const at::Tensor& product, const at::Tensor& x, const Pass& pass);
  /// x · weightᵀ is all of it.
  bool is_plain() const { return !bias.defined() && !has_adapter(); }

  /// Adds scale · (x·Aᵀ)·Bᵀ, A [rank, in] and B [out, rank], both zero: parameters lora_A.weight
  /// and lora_B.weight. `site` tells the adapters of a model apart.
  void add_adapter(int64_t rank, double scale, uint64_t site);
  /// weight += scale · B·A, summed in double and rounded once, and the adapter is gone.
  void merge_adapter();
  /// The weight with its adapter's change: what merge_adapter() would leave.
  at::Tensor whole_weight() const;
  bool has_adapter() const { return adapter_a_ != nullptr; }
  const std::shared_ptr<Linear>& adapter_a() const { return adapter_a_; }
  const std::shared_ptr<Linear>& adapter_b() const { return adapter_b_; }

  at::Tensor weight, bias;

 private:
  nn::WeightCopy copy_;
  std::shared_ptr<Linear> adapter_a_, adapter_b_;  // null: none
  double adapter_scale_ = 0;
  uint64_t adapter_site_ = 0;
};

/// Weight [width] and epsilon of x / sqrt(mean(x²) + epsilon) * weight (Zhang and Sennrich 2019);
/// nn::rms_norm and nn::add_rms_norm compute it.
class RmsNorm : public torch::nn::Module {
 public:
  RmsNorm(int64_t width, double norm_epsilon);
  at::Tensor weight;
  double epsilon;
};

/// silu(gate) * up, then down; all three with a bias or none.
class Mlp : public torch::nn::Module {
 public:
  Mlp(int64_t width, int64_t inner, bool has_bias = false);
  /// x [T, width] to [T, width], in x's type.
  at::Tensor forward(const at::Tensor& x, const Pass& pass);
  /// Without biases and adapters.
  bool is_plain() const;
  /// For what computes it plain.
  nn::GatedWeights weights_in(at::ScalarType storage);

  std::shared_ptr<Linear> gate_proj, up_proj, down_proj;
};

}  // namespace cupel::llm

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
  bool count_load = false;  // false while activations are computed again
  at::Tensor counted{};     // [T] bool: tokens that a load counts, not padding; undefined: all

  /// Drops elements of a branch's output; `site` tells the branches of a model apart.
  at::Tensor drop(const at::Tensor& branch, uint64_t site) const;
};

/// y = x · weightᵀ + bias. Weight [out, in] fp32, read in 16 bit where the pass says so.
class Linear : public torch::nn::Module {
 public:
  Linear(int64_t out, int64_t in, bool has_bias = false);
  nn::Weight weight_in(at::ScalarType storage) { return copy_.get(weight, storage); }
  /// x [T, in] to [T, out], in x's type.
  at::Tensor forward(const at::Tensor& x);
  /// Adds the bias, if there is one, to x · weightᵀ.
  at::Tensor add_bias(const at::Tensor& product) const;

  at::Tensor weight, bias;

 private:
  nn::WeightCopy copy_;
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
  at::Tensor forward(const at::Tensor& x);
  bool has_bias() const { return down_proj->bias.defined(); }
  /// For what computes it without biases.
  nn::GatedWeights weights_in(at::ScalarType storage);

  std::shared_ptr<Linear> gate_proj, up_proj, down_proj;
};

}  // namespace cupel::llm

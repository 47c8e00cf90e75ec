// The operations of nn/ops_nn.h as plain LibTorch formulas: any type, any device, differentiable.
#pragma once

#include "nn/ops_nn.h"

namespace cupel::nn::formulas {

at::Tensor linear(const at::Tensor& x, const Weight& weight);
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);
at::Tensor gated_mlp(const at::Tensor& x, const GatedWeights& weights);
at::Tensor experts(const at::Tensor& x, const at::Tensor& scores, const at::Tensor& choices,
                   const ExpertWeights& weights);
/// x [T, heads, rotary] rotated; with `interleaved` the halves come out de-interleaved, which keeps
/// every product of a query and a key.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine,
                  bool interleaved);
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape, const Positions& positions);
at::Tensor latent_attention(const at::Tensor& q, const at::Tensor& latent,
                            const at::Tensor& norm_weight, const Weight& kv_b,
                            const AttentionShape& shape, double norm_epsilon,
                            const Positions& positions);
at::Tensor linear_cross_entropy(const at::Tensor& x, const Weight& weight,
                                const at::Tensor& labels);

}  // namespace cupel::nn::formulas

// The operations of nn/ops_nn.h as plain LibTorch formulas: any type, any device, differentiable.
#pragma once

#include "nn/ops_nn.h"

namespace cupel::nn::formulas {

// Formulas and sources are those of the functions of the same names in nn/ops_nn.h; T tokens are
// rows. Results have x's type; norms, softmax and losses are computed in fp32 at least.

/// x [T, in], weight [out, in]: [T, out].
at::Tensor linear(const at::Tensor& x, const Weight& weight);
/// base [T, out], x [T, in]: [T, out].
at::Tensor add_low_rank(const at::Tensor& base, const at::Tensor& x, const LowRank& term);
/// x [T, width], weight [width]: [T, width].
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);
/// x [T, width]: [T, width].
at::Tensor gated_mlp(const at::Tensor& x, const GatedWeights& weights);
/// x [T, width], scores and choices [T, k]: [T, width].
at::Tensor experts(const at::Tensor& x, const at::Tensor& scores, const at::Tensor& choices,
                   const ExpertWeights& weights);
/// x [T, heads, rotary] rotated; with `interleaved` the halves come out de-interleaved, which keeps
/// every product of a query and a key.
at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine,
                  bool interleaved);
/// q [T, heads * (nope + rotary)], k [T, key_value_heads * (nope + rotary)], v [T, key_value_heads
/// * value]: [T, heads * value].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape, const Positions& positions);
/// latent [T, rank + rotary], norm_weight [rank], kv_b [heads * (nope + value), rank]; q and the
/// result as for attention().
at::Tensor latent_attention(const at::Tensor& q, const at::Tensor& latent,
                            const at::Tensor& norm_weight, const Weight& kv_b,
                            const AttentionShape& shape, double norm_epsilon,
                            const Positions& positions);
/// rotary_key [T, rotary], expanded [T, heads * (nope + value)]; q and the result as there.
at::Tensor expanded_attention(const at::Tensor& q, const at::Tensor& rotary_key,
                              const at::Tensor& expanded, const AttentionShape& shape,
                              const Positions& positions);
/// x [T, width], weight [vocabulary, width], labels [T] int64: the sum over labels >= 0, in nats.
at::Tensor linear_cross_entropy(const at::Tensor& x, const Weight& weight,
                                const at::Tensor& labels);

}  // namespace cupel::nn::formulas

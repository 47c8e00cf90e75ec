// The differentiable operations of the language models. fp32, fp16 and bf16 on the CPU run over
// kernels(); everything else (fp64, other devices) takes the plain LibTorch formula of
// nn/formulas_nn.h, which is also the oracle of the tests.
#pragma once

#include <vector>

#include "nn/loss_chunk.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

/// A master weight, which receives the gradient, and what matrix products read: itself or a 16-bit
/// copy.
struct Weight {
  at::Tensor master, operand;
};

/// Keeps the 16-bit copy of a master weight until the master changes. Whoever writes a weight
/// through a raw pointer calls bump_version() on it.
class WeightCopy {
 public:
  /// `storage`: kHalf or kBFloat16; any other type gives the master itself.
  Weight get(const at::Tensor& master, at::ScalarType storage);

 private:
  at::Tensor copy_;
  const void* source_ = nullptr;
  int64_t version_ = 0;
};

// In what follows T tokens are rows. 16-bit operands are multiplied and summed in fp32 and rounded
// once to the operands' type, forwards and backwards; weight gradients are then widened to fp32.

/// x [T, in] times each w [out, in] transposed: [T, out] each.
std::vector<at::Tensor> linears(const at::Tensor& x, const std::vector<Weight>& weights);
at::Tensor linear(const at::Tensor& x, const Weight& weight);

/// A low-rank adapter's term (Hu et al. 2021): a [rank, in], b [out, rank].
struct LowRank {
  Weight a, b;
  double scale = 1;
  double dropout = 0;  // of what it reads, see dropout()
  uint64_t dropout_key = 0;
};
/// base + scale · (dropout(x)·aᵀ)·bᵀ: [T, out] in base's type, which is x's. The masked x is
/// computed again in the backward pass.
at::Tensor add_low_rank(const at::Tensor& base, const at::Tensor& x, const LowRank& term);

/// The residual stream after a branch, and the normalised copy that the next branch reads.
struct Normed {
  at::Tensor sum;     // x + delta, fp32
  at::Tensor normed;  // sum / sqrt(mean(sum²) + epsilon) * weight, in `storage`
};
/// x [T, width] fp32; delta [T, width] of any type, or undefined (then `sum` is x).
Normed add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                    double epsilon, at::ScalarType storage);
/// x / sqrt(mean(x²) + epsilon) * weight: [T, width] in x's type.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon);

/// silu(x·gateᵀ) * (x·upᵀ) · downᵀ (Shazeer 2020). The product of the two is computed again in the
/// backward pass.
struct GatedWeights {
  Weight gate, up;  // [inner, width]
  Weight down;      // [width, inner]
};
at::Tensor gated_mlp(const at::Tensor& x, const GatedWeights& weights);

/// Mixture of experts: sum over a token's k choices of scores * expert(x), plus the shared expert's
/// output if there is one. Experts are summed in ascending order, so the result does not depend on
/// threads.
struct ExpertWeights {
  Weight gate_up;       // [experts, 2 * inner, width]
  Weight down;          // [experts, width, inner]
  GatedWeights shared;  // gate.master undefined: no shared expert
};
/// scores [T, k] fp32, differentiable; choices [T, k] int64, distinct in a row.
at::Tensor experts(const at::Tensor& x, const at::Tensor& scores, const at::Tensor& choices,
                   const ExpertWeights& weights);

/// Where each token stands: rotary tables and the borders of packed documents.
struct Positions {
  int64_t batch = 0, length = 0;  // T = batch * length
  at::Tensor cosine, sine;        // [length, rotary / 2] or [T, rotary / 2]
  at::Tensor first;               // [batch, length] int32, or undefined: 0
};

struct AttentionShape {
  int64_t heads = 0, key_value_heads = 0;
  int64_t nope = 0, rotary = 0;  // head dimensions without and with rotary position, in this order
  int64_t value = 0;
  double scale = 0;
  bool interleaved = false;  // rotary pairs are neighbours
};

/// Causal attention with rotary positions: q [T, heads * (nope + rotary)], k [T, key_value_heads *
/// (nope + rotary)], v [T, key_value_heads * value] give [T, heads * value].
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape, const Positions& positions);

/// Multi-head latent attention (DeepSeek-V2, section 2.1.2) between its down and output
/// projections: latent [T, rank + rotary] holds the compressed keys and values, then the rotary key
/// that all heads share; kv_b [heads * (nope + value), rank].
at::Tensor latent_attention(const at::Tensor& q, const at::Tensor& latent,
                            const at::Tensor& norm_weight, const Weight& kv_b,
                            const AttentionShape& shape, double norm_epsilon,
                            const Positions& positions);

/// The attention inside it, of keys and values that are expanded already: rotary_key [T, rotary],
/// expanded [T, heads * (nope + value)].
at::Tensor expanded_attention(const at::Tensor& q, const at::Tensor& rotary_key,
                              const at::Tensor& expanded, const AttentionShape& shape,
                              const Positions& positions);

/// Sum of the cross entropies of softmax(x·weightᵀ) over labels >= 0, never holding more than a
/// chunk of the logits. If a gradient will be asked for, it is computed here, chunk by chunk, and
/// scaled in the backward pass. x [T, width], weight [vocabulary, width], labels [T] int64.
at::Tensor linear_cross_entropy(const at::Tensor& x, const Weight& weight,
                                const at::Tensor& labels);

/// Rows of weight [vocabulary, width] for ids [T] int64: [T, width], fp32. Gradients of a row are
/// summed in the order of the tokens.
at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight);

/// Zeroes elements with probability p and divides the others by 1 - p. The mask is a function of
/// `key` and the element's index alone, so a second pass draws it again.
at::Tensor dropout(const at::Tensor& x, double p, uint64_t key);

}  // namespace cupel::nn

// The two kinds of attention of a decoder block: grouped-query, and multi-head latent.
#pragma once

#include <memory>

#include "nn/llm/config.h"
#include "nn/llm/modules_nn.h"

namespace cupel::llm {

/// What attention remembers of the tokens before: keys and values [t, …], or the normalised latent
/// [t, rank] and the rotated shared key [t, rotary].
struct AttentionCache {
  at::Tensor first, second;
};

class Attention : public torch::nn::Module {
 public:
  /// x [T, width] in the pass's storage, normalised; the output of the same shape.
  virtual at::Tensor forward(const at::Tensor& x, const Pass& pass) = 0;
  /// The next tokens of one sequence: x [n, width] fp32, positions.cosine and sine [n, …] of their
  /// own positions. Appends to the cache.
  virtual at::Tensor extend(const at::Tensor& x, const Pass& pass, AttentionCache& cache) = 0;
};

/// Grouped-query attention (Ainslie et al. 2023); in some families with a norm over each head of
/// queries and keys before they are rotated, or with a sliding window (Beltagy et al. 2020).
class GroupedAttention : public Attention {
 public:
  GroupedAttention(const ModelConfig& config, int64_t layer);
  at::Tensor forward(const at::Tensor& x, const Pass& pass) override;
  at::Tensor extend(const at::Tensor& x, const Pass& pass, AttentionCache& cache) override;

 private:
  struct Projected {
    at::Tensor query, key, value;  // [T, heads * width], normalised, not rotated
  };
  Projected project(const at::Tensor& x, const Pass& pass);

  nn::AttentionShape shape_;
  std::optional<int64_t> window_;
  std::shared_ptr<Linear> q_proj_, k_proj_, v_proj_, o_proj_;
  std::shared_ptr<RmsNorm> q_norm_, k_norm_;  // null in families without
};

/// Multi-head latent attention (DeepSeek-V2, section 2.1), with or without a latent for queries.
/// `extend` absorbs the up-projections into query and output, so the cache holds latents only.
class LatentAttention : public Attention {
 public:
  explicit LatentAttention(const ModelConfig& config);
  at::Tensor forward(const at::Tensor& x, const Pass& pass) override;
  at::Tensor extend(const at::Tensor& x, const Pass& pass, AttentionCache& cache) override;

 private:
  struct Projected {
    at::Tensor query, latent;
  };
  Projected project(const at::Tensor& x, const Pass& pass);

  nn::AttentionShape shape_;
  int64_t rank_;
  std::shared_ptr<Linear> q_proj_, q_a_proj_, q_b_proj_, kv_a_proj_, kv_b_proj_, o_proj_;
  std::shared_ptr<RmsNorm> q_a_norm_, kv_a_norm_;
};

}  // namespace cupel::llm

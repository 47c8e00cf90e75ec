#include "nn/llm/attention_nn.h"

#include <algorithm>

#include "nn/formulas_nn.h"
#include "nn/llm/families.h"
#include "nn/llm/rope.h"

namespace cupel::llm {
namespace {

/// softmax of scores [heads, n, t], where query i of n sees the first t - n + 1 + i keys, or the
/// last `window` of those.
at::Tensor causal_softmax(const at::Tensor& scores, std::optional<int64_t> window = {}) {
  const int64_t n = scores.size(1), t = scores.size(2);
  const at::Tensor all = at::ones({n, t}, scores.options().dtype(at::kBool));
  at::Tensor hidden = all.triu(t - n + 1);
  if (window) hidden = hidden.logical_or(all.tril(t - n - *window));
  return at::softmax(scores.masked_fill(hidden, -HUGE_VAL), -1);
}

/// Of the rows cached so far and those of n more tokens, what these tokens can see.
at::Tensor append(const at::Tensor& cached, const at::Tensor& rows,
                  std::optional<int64_t> window = {}) {
  const at::Tensor all = cached.defined() ? at::cat({cached, rows}, 0) : rows;
  const int64_t seen = std::min(all.size(0), window.value_or(all.size(0)) + rows.size(0) - 1);
  return all.narrow(0, all.size(0) - seen, seen);
}

/// The same positions, with the first one that a token sees no further back than the window.
nn::Positions within(const nn::Positions& positions, std::optional<int64_t> window) {
  if (!window || *window >= positions.length) return positions;
  const at::Tensor earliest =
      (at::arange(positions.length, positions.cosine.options().dtype(at::kInt)) - (*window - 1))
          .clamp_min(0)
          .expand({positions.batch, positions.length});
  nn::Positions result = positions;
  result.first =
      (positions.first.defined() ? at::maximum(positions.first, earliest) : earliest).contiguous();
  return result;
}

}  // namespace

GroupedAttention::GroupedAttention(const ModelConfig& config, int64_t layer)
    : window_(config.window(layer)) {
  const Family& family = *find_family(config.family);
  const int64_t width = config.rotary_width(), heads = config.num_attention_heads;
  const int64_t key_value_heads = config.num_key_value_heads.value_or(heads);
  shape_ = {heads, key_value_heads, 0, width, width, attention_scale(config), config.interleaves()};
  const auto projection = [&](const char* name, int64_t out, int64_t in, bool bias) {
    return register_module(name, std::make_shared<Linear>(out, in, bias));
  };
  const bool inner_bias = config.attention_bias || family.query_key_value_bias;
  q_proj_ = projection("q_proj", heads * width, config.hidden_size, inner_bias);
  k_proj_ = projection("k_proj", key_value_heads * width, config.hidden_size, inner_bias);
  v_proj_ = projection("v_proj", key_value_heads * width, config.hidden_size, inner_bias);
  o_proj_ = projection("o_proj", config.hidden_size, heads * width, config.attention_bias);
  if (!family.head_norm) return;
  q_norm_ = register_module("q_norm", std::make_shared<RmsNorm>(width, config.rms_norm_eps));
  k_norm_ = register_module("k_norm", std::make_shared<RmsNorm>(width, config.rms_norm_eps));
}

GroupedAttention::Projected GroupedAttention::project(const at::Tensor& x, const Pass& pass) {
  const at::ScalarType storage = x.scalar_type();
  const std::vector<at::Tensor> parts = nn::linears(
      x, {q_proj_->weight_in(storage), k_proj_->weight_in(storage), v_proj_->weight_in(storage)});
  const auto by_head = [&](const at::Tensor& part, const std::shared_ptr<RmsNorm>& norm) {
    if (!norm) return part;
    const at::Tensor heads = part.reshape({-1, shape_.rotary});
    return nn::rms_norm(heads, norm->weight, norm->epsilon).view(part.sizes());
  };
  return {by_head(q_proj_->finish(parts[0], x, pass), q_norm_),
          by_head(k_proj_->finish(parts[1], x, pass), k_norm_), v_proj_->finish(parts[2], x, pass)};
}

at::Tensor GroupedAttention::forward(const at::Tensor& x, const Pass& pass) {
  const Projected projected = project(x, pass);
  return o_proj_->forward(nn::attention(projected.query, projected.key, projected.value, shape_,
                                        within(pass.positions, window_)),
                          pass);
}

at::Tensor GroupedAttention::extend(const at::Tensor& x, const Pass& pass, AttentionCache& cache) {
  const nn::Positions& p = pass.positions;
  const auto by_head = [&](const at::Tensor& part, int64_t heads) {
    return part.view({x.size(0), heads, -1});
  };
  const auto rotated = [&](const at::Tensor& part) {
    return nn::formulas::rotate(part, p.cosine, p.sine, shape_.interleaved);
  };
  const Projected projected = project(x, pass);
  const at::Tensor query = rotated(by_head(projected.query, shape_.heads));
  cache.first =
      append(cache.first, rotated(by_head(projected.key, shape_.key_value_heads)), window_);
  cache.second = append(cache.second, by_head(projected.value, shape_.key_value_heads), window_);
  const int64_t group = shape_.heads / shape_.key_value_heads;
  const at::Tensor keys = cache.first.repeat_interleave(group, 1).permute({1, 2, 0});
  const at::Tensor values = cache.second.repeat_interleave(group, 1).transpose(0, 1);
  const at::Tensor chances =
      causal_softmax(at::matmul(query.transpose(0, 1), keys) * shape_.scale, window_);
  return o_proj_->forward(at::matmul(chances, values).transpose(0, 1).reshape({x.size(0), -1}),
                          pass);
}

LatentAttention::LatentAttention(const ModelConfig& config) : rank_(config.kv_lora_rank) {
  const int64_t heads = config.num_attention_heads, width = config.hidden_size;
  shape_ = {heads,
            heads,
            config.qk_nope_head_dim,
            config.qk_rope_head_dim,
            config.v_head_dim,
            attention_scale(config),
            config.interleaves()};
  // Reference implementations fix this epsilon whatever rms_norm_eps says.
  constexpr double kLatentEpsilon = 1e-6;
  const auto projection = [&](const char* name, int64_t out, int64_t in, bool bias) {
    return register_module(name, std::make_shared<Linear>(out, in, bias));
  };
  if (config.q_lora_rank) {
    q_a_proj_ = projection("q_a_proj", *config.q_lora_rank, width, config.attention_bias);
    q_a_norm_ = register_module("q_a_layernorm",
                                std::make_shared<RmsNorm>(*config.q_lora_rank, kLatentEpsilon));
    q_b_proj_ = projection("q_b_proj", heads * config.query_width(), *config.q_lora_rank, false);
  } else {
    q_proj_ = projection("q_proj", heads * config.query_width(), width, false);
  }
  kv_a_proj_ =
      projection("kv_a_proj_with_mqa", rank_ + shape_.rotary, width, config.attention_bias);
  kv_a_norm_ = register_module("kv_a_layernorm", std::make_shared<RmsNorm>(rank_, kLatentEpsilon));
  kv_b_proj_ = projection("kv_b_proj", heads * (shape_.nope + shape_.value), rank_, false);
  o_proj_ = projection("o_proj", width, heads * shape_.value, config.attention_bias);
}

LatentAttention::Projected LatentAttention::project(const at::Tensor& x, const Pass& pass) {
  Linear& down = q_proj_ ? *q_proj_ : *q_a_proj_;
  const at::ScalarType storage = x.scalar_type();
  const std::vector<at::Tensor> parts =
      nn::linears(x, {down.weight_in(storage), kv_a_proj_->weight_in(storage)});
  const at::Tensor latent = kv_a_proj_->finish(parts[1], x, pass);
  const at::Tensor query = down.finish(parts[0], x, pass);
  if (q_proj_) return {query, latent};
  const at::Tensor normed = nn::rms_norm(query, q_a_norm_->weight, q_a_norm_->epsilon);
  return {q_b_proj_->forward(normed, pass), latent};
}

at::Tensor LatentAttention::forward(const at::Tensor& x, const Pass& pass) {
  const Projected projected = project(x, pass);
  if (!kv_b_proj_->has_adapter())
    return o_proj_->forward(
        nn::latent_attention(projected.query, projected.latent, kv_a_norm_->weight,
                             kv_b_proj_->weight_in(pass.storage), shape_, kv_a_norm_->epsilon,
                             pass.positions),
        pass);
  const at::Tensor compressed = nn::rms_norm(projected.latent.narrow(1, 0, rank_).contiguous(),
                                             kv_a_norm_->weight, kv_a_norm_->epsilon);
  const at::Tensor shared = projected.latent.narrow(1, rank_, shape_.rotary);
  return o_proj_->forward(
      nn::expanded_attention(projected.query, shared, kv_b_proj_->forward(compressed, pass), shape_,
                             pass.positions),
      pass);
}

at::Tensor LatentAttention::extend(const at::Tensor& x, const Pass& pass, AttentionCache& cache) {
  const nn::Positions& p = pass.positions;
  const auto rotated = [&](const at::Tensor& part) {
    return nn::formulas::rotate(part, p.cosine, p.sine, shape_.interleaved);
  };
  const Projected projected = project(x, pass);
  const at::Tensor query =
      projected.query.view({x.size(0), shape_.heads, shape_.nope + shape_.rotary});
  cache.first = append(cache.first, nn::rms_norm(projected.latent.narrow(1, 0, rank_),
                                                 kv_a_norm_->weight, kv_a_norm_->epsilon));
  cache.second =
      append(cache.second,
             rotated(projected.latent.narrow(1, rank_, shape_.rotary).unsqueeze(1)).squeeze(1));
  // [heads, nope + value, rank]: keys and values expand from the latent by these.
  const at::Tensor expand = kv_b_proj_->whole_weight()
                                .to(x.scalar_type())
                                .view({shape_.heads, shape_.nope + shape_.value, rank_});
  const at::Tensor absorbed =
      at::bmm(query.narrow(2, 0, shape_.nope).transpose(0, 1), expand.narrow(1, 0, shape_.nope));
  const at::Tensor turned = rotated(query.narrow(2, shape_.nope, shape_.rotary)).transpose(0, 1);
  const at::Tensor scores =
      (at::matmul(absorbed, cache.first.t()) + at::matmul(turned, cache.second.t())) * shape_.scale;
  const at::Tensor mixed = at::matmul(causal_softmax(scores), cache.first);
  const at::Tensor out =
      at::bmm(mixed, expand.narrow(1, shape_.nope, shape_.value).transpose(1, 2));
  return o_proj_->forward(out.transpose(0, 1).reshape({x.size(0), -1}), pass);
}

}  // namespace cupel::llm

#include "nn/formulas_nn.h"

namespace cupel::nn::formulas {
namespace {

/// Softmax and losses are computed in at least fp32.
at::ScalarType wide(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

/// q, k [T, heads, dim], v [T, heads, value], rotated and with equal numbers of heads.
at::Tensor masked_softmax_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                    double scale, const Positions& positions) {
  const auto by_head = [&](const at::Tensor& x) {
    return x.view({positions.batch, positions.length, x.size(1), x.size(2)}).transpose(1, 2);
  };
  const at::Tensor scores = at::matmul(by_head(q), by_head(k).transpose(2, 3)).to(wide(q)) * scale;
  const at::Tensor index = at::arange(positions.length, q.options().dtype(at::kInt));
  at::Tensor hidden = (index.unsqueeze(0) > index.unsqueeze(1)).unsqueeze(0);
  if (positions.first.defined())
    hidden = hidden.logical_or(index.view({1, 1, -1}) < positions.first.unsqueeze(2));
  const at::Tensor chances =
      at::softmax(scores.masked_fill(hidden.unsqueeze(1), -HUGE_VAL), -1).to(v.scalar_type());
  return at::matmul(chances, by_head(v)).transpose(1, 2).reshape({q.size(0), -1});
}

/// [T, heads, nope + rotary] with the rotary part rotated.
at::Tensor with_positions(const at::Tensor& x, int64_t heads, const AttentionShape& shape,
                          const Positions& positions) {
  const at::Tensor split = x.reshape({x.size(0), heads, shape.nope + shape.rotary});
  return at::cat(
      {split.narrow(2, 0, shape.nope), rotate(split.narrow(2, shape.nope, shape.rotary),
                                              positions.cosine, positions.sine, shape.interleaved)},
      2);
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const Weight& weight) {
  return at::matmul(x, weight.master.to(x.scalar_type()).transpose(-1, -2));
}

at::Tensor add_low_rank(const at::Tensor& base, const at::Tensor& x, const LowRank& term) {
  const at::Tensor read = dropout(x, term.dropout, term.dropout_key);
  const at::Tensor change = formulas::linear(formulas::linear(read, term.a), term.b);
  return base + (change * term.scale).to(base.scalar_type());
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  const at::Tensor exact = x.to(wide(x));
  const at::Tensor scaled = exact * at::rsqrt(exact.square().mean(-1, true) + epsilon);
  return (scaled * weight).to(x.scalar_type());
}

at::Tensor gated_mlp(const at::Tensor& x, const GatedWeights& weights) {
  const at::Tensor inner =
      at::silu(formulas::linear(x, weights.gate)) * formulas::linear(x, weights.up);
  return formulas::linear(inner, weights.down);
}

at::Tensor experts(const at::Tensor& x, const at::Tensor& scores, const at::Tensor& choices,
                   const ExpertWeights& weights) {
  at::Tensor sum = at::zeros_like(x, x.options().dtype(wide(x)));
  if (weights.shared.gate.master.defined()) sum = sum + formulas::gated_mlp(x, weights.shared);
  const int64_t inner = weights.down.master.size(2);
  for (int64_t e = 0; e < weights.down.master.size(0); ++e) {
    const std::vector<at::Tensor> at = at::where(choices == e);
    const Weight gate_up{weights.gate_up.master[e], {}};
    const at::Tensor both = formulas::linear(x.index_select(0, at[0]), gate_up);
    const at::Tensor gated = at::silu(both.narrow(1, 0, inner)) * both.narrow(1, inner, inner);
    const at::Tensor weighted = gated * scores.index({at[0], at[1]}).unsqueeze(1);
    sum = sum.index_add(0, at[0],
                        formulas::linear(weighted.to(x.scalar_type()), {weights.down.master[e], {}})
                            .to(sum.scalar_type()));
  }
  return sum.to(x.scalar_type());
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine,
                  bool interleaved) {
  const int64_t half = x.size(2) / 2;
  const at::Tensor pairs = x.to(wide(x)).reshape(
      {-1, cosine.size(0), x.size(1), interleaved ? half : 2, interleaved ? 2 : half});
  const at::Tensor a = pairs.select(interleaved ? 4 : 3, 0);
  const at::Tensor b = pairs.select(interleaved ? 4 : 3, 1);
  const at::Tensor c = cosine.unsqueeze(1), s = sine.unsqueeze(1);
  return at::cat({a * c - b * s, b * c + a * s}, -1).to(x.scalar_type()).view(x.sizes());
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const AttentionShape& shape, const Positions& positions) {
  const int64_t group = shape.heads / shape.key_value_heads;
  const at::Tensor queries = with_positions(q, shape.heads, shape, positions);
  const at::Tensor keys = with_positions(k, shape.key_value_heads, shape, positions);
  const at::Tensor values = v.reshape({v.size(0), shape.key_value_heads, shape.value});
  return masked_softmax_attention(queries, keys.repeat_interleave(group, 1),
                                  values.repeat_interleave(group, 1), shape.scale, positions);
}

at::Tensor latent_attention(const at::Tensor& q, const at::Tensor& latent,
                            const at::Tensor& norm_weight, const Weight& kv_b,
                            const AttentionShape& shape, double norm_epsilon,
                            const Positions& positions) {
  const int64_t rank = latent.size(1) - shape.rotary;
  const at::Tensor compressed = rms_norm(latent.narrow(1, 0, rank), norm_weight, norm_epsilon);
  return formulas::expanded_attention(q, latent.narrow(1, rank, shape.rotary),
                                      formulas::linear(compressed, kv_b), shape, positions);
}

at::Tensor expanded_attention(const at::Tensor& q, const at::Tensor& rotary_key,
                              const at::Tensor& expanded, const AttentionShape& shape,
                              const Positions& positions) {
  const at::Tensor heads = expanded.view({q.size(0), shape.heads, shape.nope + shape.value});
  const at::Tensor shared =
      rotate(rotary_key.unsqueeze(1), positions.cosine, positions.sine, shape.interleaved);
  const at::Tensor keys =
      at::cat({heads.narrow(2, 0, shape.nope), shared.expand({-1, shape.heads, -1})}, 2);
  return masked_softmax_attention(with_positions(q, shape.heads, shape, positions), keys,
                                  heads.narrow(2, shape.nope, shape.value), shape.scale, positions);
}

at::Tensor linear_cross_entropy(const at::Tensor& x, const Weight& weight,
                                const at::Tensor& labels) {
  const at::Tensor logits = formulas::linear(x, weight).to(wide(x));
  return at::cross_entropy_loss(logits, labels.masked_fill(labels < 0, -100), {},
                                at::Reduction::Sum, -100);
}

}  // namespace cupel::nn::formulas

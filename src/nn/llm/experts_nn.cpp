#include "nn/llm/experts_nn.h"

#include <numeric>

#include "nn/llm/families.h"

namespace cupel::llm {

Router::Router(const ModelConfig& config)
    : per_token_(config.num_experts_per_tok),
      groups_(config.n_group),
      kept_groups_(config.topk_group),
      scaling_(config.routed_scaling_factor),
      normalise_(config.normalises_experts()) {
  weight = register_parameter("weight",
                              at::zeros({config.n_routed_experts, config.hidden_size}, at::kFloat));
  if (find_family(config.family)->routing == Routing::sigmoid)
    bias = register_buffer("e_score_correction_bias",
                           at::zeros({config.n_routed_experts}, at::kFloat));
}

at::Tensor Router::choose(const at::Tensor& scores) const {
  at::NoGradGuard no_grad;
  const int64_t best = bias.defined() ? 2 : 1;  // of a group, that make its score
  at::Tensor biased = bias.defined() ? scores + bias : scores;
  if (groups_ > 1) {
    const at::Tensor grouped = biased.view({biased.size(0), groups_, -1});
    const at::Tensor group_scores = std::get<0>(grouped.topk(best, 2)).sum(2);
    const at::Tensor kept = std::get<1>(group_scores.topk(kept_groups_, 1));
    const at::Tensor dropped =
        at::ones_like(group_scores, at::kBool).scatter(1, kept, false).unsqueeze(2);
    biased = grouped.masked_fill(dropped, -HUGE_VAL).view(biased.sizes());
  }
  return std::get<1>(biased.topk(per_token_, 1));
}

Router::Choice Router::forward(const at::Tensor& x) {
  const at::ScalarType exact = weight.scalar_type();
  const at::Tensor logits = nn::linear(x.to(exact), {weight, weight});
  const at::Tensor scores = bias.defined() ? at::sigmoid(logits) : at::softmax(logits, 1);
  const at::Tensor chosen = choose(scores);
  at::Tensor weights = scores.gather(1, chosen);
  if (normalise_) weights = weights / (weights.sum(1, true) + 1e-20);
  return {weights * scaling_, chosen};
}

ExpertBank::ExpertBank(const ModelConfig& config) {
  const int64_t count = config.n_routed_experts, inner = config.moe_intermediate_size;
  gate_up_proj = register_parameter("gate_up_proj",
                                    at::zeros({count, 2 * inner, config.hidden_size}, at::kFloat));
  down_proj =
      register_parameter("down_proj", at::zeros({count, config.hidden_size, inner}, at::kFloat));
}

nn::ExpertWeights ExpertBank::weights_in(at::ScalarType storage) {
  return {gate_up_copy_.get(gate_up_proj, storage), down_copy_.get(down_proj, storage), {}};
}

Experts::Experts(const ModelConfig& config)
    : load_(static_cast<std::size_t>(config.n_routed_experts)) {
  gate_ = register_module("gate", std::make_shared<Router>(config));
  experts_ = register_module("experts", std::make_shared<ExpertBank>(config));
  if (config.shared_width() > 0)
    shared_experts_ = register_module(
        "shared_experts",
        std::make_shared<Mlp>(config.hidden_size, config.shared_width(), config.mlp_bias));
}

at::Tensor Experts::forward(const at::Tensor& x, const Pass& pass) {
  const Router::Choice choice = gate_->forward(x);
  if (pass.count_load) count(choice.experts, pass);
  nn::ExpertWeights weights = experts_->weights_in(pass.storage);
  const bool apart = shared_experts_ && !shared_experts_->is_plain();
  if (shared_experts_ && !apart) weights.shared = shared_experts_->weights_in(pass.storage);
  const at::Tensor sum = nn::experts(x, choice.scores, choice.experts, weights);
  return apart ? sum + shared_experts_->forward(x, pass) : sum;
}

// Padding all goes to the same few experts: counted, it would turn the balance against them.
void Experts::count(const at::Tensor& chosen, const Pass& pass) {
  const at::Tensor kept =
      pass.counted.defined() ? chosen.index_select(0, pass.counted.nonzero().squeeze(1)) : chosen;
  const at::Tensor flat = kept.cpu().contiguous();
  const int64_t* expert = flat.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < flat.numel(); ++i) ++load_[static_cast<std::size_t>(expert[i])];
}

void Experts::begin_step() { std::fill(load_.begin(), load_.end(), 0); }

void Experts::update_bias(double rate) {
  if (!gate_->bias.defined()) return;
  at::NoGradGuard no_grad;
  const auto total = static_cast<double>(std::accumulate(load_.begin(), load_.end(), int64_t{0}));
  const double mean = total / static_cast<double>(load_.size());
  for (std::size_t e = 0; e < load_.size(); ++e) {
    const double excess = static_cast<double>(load_[e]) - mean;
    if (excess != 0) gate_->bias[static_cast<int64_t>(e)] += excess < 0 ? rate : -rate;
  }
}

}  // namespace cupel::llm

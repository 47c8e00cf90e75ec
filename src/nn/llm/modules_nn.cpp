#include "nn/llm/modules_nn.h"

#include <vector>

#include "base/error.h"

namespace cupel::llm {

at::Tensor Pass::drop(const at::Tensor& branch, uint64_t site) const {
  return dropout > 0 ? nn::dropout(branch, dropout, dropout_key + (site << 48)) : branch;
}

Linear::Linear(int64_t out, int64_t in, bool has_bias) {
  weight = register_parameter("weight", at::zeros({out, in}, at::kFloat));
  if (has_bias) bias = register_parameter("bias", at::zeros({out}, at::kFloat));
}

at::Tensor Linear::forward(const at::Tensor& x, const Pass& pass) {
  return finish(nn::linear(x, weight_in(x.scalar_type())), x, pass);
}

at::Tensor Linear::finish(const at::Tensor& product, const at::Tensor& x, const Pass& pass) {
  at::Tensor sum = product;
  if (has_adapter()) {
    const at::ScalarType storage = x.scalar_type();
    sum = nn::add_low_rank(
        product, x,
        {adapter_a_->weight_in(storage), adapter_b_->weight_in(storage), adapter_scale_,
         pass.adapter_dropout, pass.dropout_key + (adapter_site_ << 48)});
  }
  return bias.defined() ? (sum + bias).to(product.scalar_type()) : sum;
}

void Linear::add_adapter(int64_t rank, double scale, uint64_t site) {
  CUPEL_ASSERT(!has_adapter());
  adapter_a_ = register_module("lora_A", std::make_shared<Linear>(rank, weight.size(1)));
  adapter_b_ = register_module("lora_B", std::make_shared<Linear>(weight.size(0), rank));
  adapter_scale_ = scale;
  adapter_site_ = site;
}

at::Tensor Linear::whole_weight() const {
  if (!has_adapter()) return weight;
  const at::Tensor change =
      at::matmul(adapter_b_->weight.to(at::kDouble), adapter_a_->weight.to(at::kDouble));
  return (weight.to(at::kDouble) + adapter_scale_ * change).to(weight.scalar_type());
}

void Linear::merge_adapter() {
  if (!has_adapter()) return;
  at::NoGradGuard no_grad;
  weight.copy_(whole_weight());
  unregister_module("lora_A");
  unregister_module("lora_B");
  adapter_a_ = adapter_b_ = nullptr;
}

RmsNorm::RmsNorm(int64_t width, double norm_epsilon) : epsilon(norm_epsilon) {
  weight = register_parameter("weight", at::ones({width}, at::kFloat));
}

Mlp::Mlp(int64_t width, int64_t inner, bool has_bias) {
  gate_proj = register_module("gate_proj", std::make_shared<Linear>(inner, width, has_bias));
  up_proj = register_module("up_proj", std::make_shared<Linear>(inner, width, has_bias));
  down_proj = register_module("down_proj", std::make_shared<Linear>(width, inner, has_bias));
}

bool Mlp::is_plain() const {
  return gate_proj->is_plain() && up_proj->is_plain() && down_proj->is_plain();
}

at::Tensor Mlp::forward(const at::Tensor& x, const Pass& pass) {
  if (is_plain()) return nn::gated_mlp(x, weights_in(x.scalar_type()));
  const std::vector<at::Tensor> parts =
      nn::linears(x, {gate_proj->weight_in(x.scalar_type()), up_proj->weight_in(x.scalar_type())});
  const at::Tensor gate = gate_proj->finish(parts[0], x, pass);
  return down_proj->forward(at::silu(gate) * up_proj->finish(parts[1], x, pass), pass);
}

nn::GatedWeights Mlp::weights_in(at::ScalarType storage) {
  return {gate_proj->weight_in(storage), up_proj->weight_in(storage),
          down_proj->weight_in(storage)};
}

}  // namespace cupel::llm

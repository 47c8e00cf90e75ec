#include "nn/llm/modules_nn.h"

#include <vector>

namespace cupel::llm {

at::Tensor Pass::drop(const at::Tensor& branch, uint64_t site) const {
  return dropout > 0 ? nn::dropout(branch, dropout, dropout_key + (site << 48)) : branch;
}

Linear::Linear(int64_t out, int64_t in, bool has_bias) {
  weight = register_parameter("weight", at::zeros({out, in}, at::kFloat));
  if (has_bias) bias = register_parameter("bias", at::zeros({out}, at::kFloat));
}

at::Tensor Linear::forward(const at::Tensor& x) {
  return add_bias(nn::linear(x, weight_in(x.scalar_type())));
}

at::Tensor Linear::add_bias(const at::Tensor& product) const {
  return bias.defined() ? (product + bias).to(product.scalar_type()) : product;
}

RmsNorm::RmsNorm(int64_t width, double norm_epsilon) : epsilon(norm_epsilon) {
  weight = register_parameter("weight", at::ones({width}, at::kFloat));
}

Mlp::Mlp(int64_t width, int64_t inner, bool has_bias) {
  gate_proj = register_module("gate_proj", std::make_shared<Linear>(inner, width, has_bias));
  up_proj = register_module("up_proj", std::make_shared<Linear>(inner, width, has_bias));
  down_proj = register_module("down_proj", std::make_shared<Linear>(width, inner, has_bias));
}

at::Tensor Mlp::forward(const at::Tensor& x) {
  if (!has_bias()) return nn::gated_mlp(x, weights_in(x.scalar_type()));
  const std::vector<at::Tensor> parts =
      nn::linears(x, {gate_proj->weight_in(x.scalar_type()), up_proj->weight_in(x.scalar_type())});
  return down_proj->forward(at::silu(gate_proj->add_bias(parts[0])) * up_proj->add_bias(parts[1]));
}

nn::GatedWeights Mlp::weights_in(at::ScalarType storage) {
  return {gate_proj->weight_in(storage), up_proj->weight_in(storage),
          down_proj->weight_in(storage)};
}

}  // namespace cupel::llm

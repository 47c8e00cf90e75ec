#include "nn/classifier_eager_nn.h"

namespace cupel::nn {

EagerClassifier::EagerClassifier(const ClassifierModel& model) : config_(model.config) {
  for (const ClassifierTensor& tensor : classifier_tensors(model.config))
    parts_.emplace(tensor.name, at::tensor(model.at(tensor.name), at::kFloat).view(tensor.shape));
}

at::Tensor EagerClassifier::linear(const at::Tensor& x, const std::string& name) const {
  return at::linear(x, part(name + ".weight"), part(name + ".bias"));
}

at::Tensor EagerClassifier::normed(const at::Tensor& x, const std::string& name) const {
  const at::Tensor& weight = part(name + ".weight");
  return at::layer_norm(x, weight.sizes(), weight, part(name + ".bias"),
                        config_.encoder.layer_norm_eps);
}

at::Tensor EagerClassifier::layer(const at::Tensor& x, int64_t index) const {
  const std::string name = "bert.encoder.layer." + std::to_string(index);
  const auto by_head = [&](const char* which) {
    return linear(x, name + ".attention.self." + which)
        .view({1, x.size(1), config_.encoder.num_attention_heads, -1})
        .transpose(1, 2);
  };
  const at::Tensor mixed =
      at::scaled_dot_product_attention(by_head("query"), by_head("key"), by_head("value"));
  const at::Tensor between =
      normed(linear(mixed.transpose(1, 2).reshape(x.sizes()), name + ".attention.output.dense") + x,
             name + ".attention.output.LayerNorm");
  const at::Tensor inner = at::gelu(linear(between, name + ".intermediate.dense"));
  return normed(linear(inner, name + ".output.dense") + between, name + ".output.LayerNorm");
}

std::vector<float> EagerClassifier::logits(const std::vector<int32_t>& ids) const {
  const c10::InferenceMode inference;
  const auto length = static_cast<int64_t>(ids.size());
  const at::Tensor places = at::arange(length, at::kLong);
  at::Tensor x =
      at::embedding(part("bert.embeddings.word_embeddings.weight"),
                    at::tensor(ids, at::kLong).unsqueeze(0)) +
      at::embedding(part("bert.embeddings.token_type_embeddings.weight"),
                    at::zeros({1, length}, at::kLong)) +
      at::embedding(part("bert.embeddings.position_embeddings.weight"), places.unsqueeze(0));
  x = normed(x, "bert.embeddings.LayerNorm");
  for (int64_t i = 0; i < config_.encoder.num_hidden_layers; ++i) x = layer(x, i);
  const at::Tensor pooled = at::tanh(linear(x.select(1, 0), "bert.pooler.dense"));
  const at::Tensor scores = linear(pooled, "classifier").contiguous();
  const auto* first = scores.const_data_ptr<float>();
  return {first, first + scores.numel()};
}

}  // namespace cupel::nn

#include "nn/bert_nn.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "nn/initial_weights_nn.h"
#include "nn/recompute_nn.h"

namespace cupel::nn {
namespace {

// Places that dropout tells apart: the embeddings, two a layer, and the pooled output.
constexpr uint64_t kEmbeddingSite = 0, kPooledSite = UINT64_C(0xffff);
uint64_t attention_site(uint64_t layer) { return 2 * layer + 1; }
uint64_t feed_forward_site(uint64_t layer) { return 2 * layer + 2; }

std::shared_ptr<torch::nn::Module> folder_in(torch::nn::Module& module, const char* name) {
  return module.register_module(name, std::make_shared<torch::nn::Module>());
}

}  // namespace

Batch padded_batch(std::span<const std::vector<int32_t>* const> rows, int64_t padding) {
  std::size_t longest = 0;
  for (const std::vector<int32_t>* row : rows) longest = std::max(longest, row->size());
  const auto count = static_cast<int64_t>(rows.size()), length = static_cast<int64_t>(longest);
  Batch batch;
  batch.inputs = at::full({count, length}, padding, at::kLong);
  batch.lengths = at::empty({count}, at::kLong);
  for (int64_t i = 0; i < count; ++i) {
    const std::vector<int32_t>& row = *rows[static_cast<std::size_t>(i)];
    std::copy(row.begin(), row.end(), batch.inputs.mutable_data_ptr<int64_t>() + i * length);
    batch.lengths.mutable_data_ptr<int64_t>()[i] = static_cast<int64_t>(row.size());
  }
  return batch;
}

Batch labelled_batch(const std::vector<const ClassifiedRow*>& rows, int64_t padding) {
  std::vector<const std::vector<int32_t>*> ids;
  std::vector<int64_t> labels;
  for (const ClassifiedRow* row : rows) {
    ids.push_back(&row->ids);
    labels.push_back(row->label);
  }
  Batch batch = padded_batch(ids, padding);
  batch.labels = at::tensor(labels, at::kLong);
  batch.weight = static_cast<double>(rows.size());
  return batch;
}

at::Tensor BertPass::drop(const at::Tensor& branch, uint64_t site) const {
  if (options.dropout == 0) return branch;
  return dropout(branch, options.dropout, options.dropout_key + (site << 48));
}

BertLinear::BertLinear(int64_t out, int64_t in) {
  weight = register_parameter("weight", at::zeros({out, in}, at::kFloat));
  bias = register_parameter("bias", at::zeros({out}, at::kFloat));
}

at::Tensor BertLinear::forward(const at::Tensor& x) {
  return add_bias(linear(read(x), weight_in(x.scalar_type())));
}

Weight BertLinear::weight_in(at::ScalarType storage) {
  if (!see_weight) return copy_.get(weight, storage);
  const at::Tensor seen = see_weight(weight);
  return {seen, seen.detach().to(storage)};
}

at::Tensor BertLinear::add_bias(const at::Tensor& product) const {
  return (product + bias).to(product.scalar_type());
}

BertNorm::BertNorm(int64_t width, double norm_epsilon) : epsilon(norm_epsilon) {
  weight = register_parameter("weight", at::ones({width}, at::kFloat));
  bias = register_parameter("bias", at::zeros({width}, at::kFloat));
}

at::Tensor BertNorm::forward(const at::Tensor& x) const {
  return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
}

BertLayer::BertLayer(const EncoderConfig& config, int64_t index)
    : index_(static_cast<uint64_t>(index)), heads_(config.num_attention_heads) {
  const int64_t width = config.hidden_size, inner = config.intermediate_size;
  const auto attention = folder_in(*this, "attention"), self = folder_in(*attention, "self");
  const auto out = folder_in(*attention, "output"), expand = folder_in(*this, "intermediate");
  const auto contract = folder_in(*this, "output");
  const auto add = [](torch::nn::Module& in, const char* name, int64_t rows, int64_t cols) {
    return in.register_module(name, std::make_shared<BertLinear>(rows, cols));
  };
  const auto norm = [&](torch::nn::Module& in) {
    return in.register_module("LayerNorm",
                              std::make_shared<BertNorm>(width, config.layer_norm_eps));
  };
  query_ = add(*self, "query", width, width);
  key_ = add(*self, "key", width, width);
  value_ = add(*self, "value", width, width);
  attention_out_ = add(*out, "dense", width, width);
  attention_norm_ = norm(*out);
  up_ = add(*expand, "dense", inner, width);
  down_ = add(*contract, "dense", width, inner);
  norm_ = norm(*contract);
}

at::Tensor BertLayer::attend(const at::Tensor& x, const BertPass& pass) {
  const at::ScalarType storage = x.scalar_type();
  const std::vector<at::Tensor> parts = nn::linears(
      query_->read(x),
      {query_->weight_in(storage), key_->weight_in(storage), value_->weight_in(storage)});
  const auto by_head = [&](const at::Tensor& part) {
    return part.view({pass.batch, pass.length, heads_, -1}).transpose(1, 2);
  };
  std::optional<at::Tensor> visible;
  if (pass.visible.defined()) visible = pass.visible;
  const at::Tensor mixed = at::scaled_dot_product_attention(
      by_head(query_->add_bias(parts[0])), by_head(key_->add_bias(parts[1])),
      by_head(value_->add_bias(parts[2])), visible);
  return attention_out_->forward(mixed.transpose(1, 2).reshape(x.sizes()));
}

std::vector<BertLinear*> BertLayer::linears() const {
  return {query_.get(), key_.get(), value_.get(), attention_out_.get(), up_.get(), down_.get()};
}

at::Tensor BertLayer::forward(const at::Tensor& x, const BertPass& pass) {
  const at::ScalarType storage =
      pass.options.storage == at::kFloat ? x.scalar_type() : pass.options.storage;
  const at::Tensor between =
      attention_norm_->forward(x + pass.drop(attend(x.to(storage), pass), attention_site(index_)));
  const at::Tensor branch = down_->forward(at::gelu(up_->forward(between.to(storage))));
  return norm_->forward(between + pass.drop(branch, feed_forward_site(index_)));
}

BertClassifier::BertClassifier(const ClassifierConfig& config) : config_(config) {
  CUPEL_ASSERT(!config.labels.empty());
  const EncoderConfig& e = config.encoder;
  const auto bert = folder_in(*this, "bert"), embeddings = folder_in(*bert, "embeddings");
  const auto table = [&](const char* name, int64_t rows) {
    const auto module = folder_in(*embeddings, name);
    return module->register_parameter("weight", at::zeros({rows, e.hidden_size}, at::kFloat));
  };
  words_ = table("word_embeddings", e.vocab_size);
  positions_ = table("position_embeddings", e.max_position_embeddings);
  types_ = table("token_type_embeddings", e.type_vocab_size);
  embedding_norm_ = embeddings->register_module(
      "LayerNorm", std::make_shared<BertNorm>(e.hidden_size, e.layer_norm_eps));
  const auto encoder = folder_in(*bert, "encoder"), layers = folder_in(*encoder, "layer");
  for (int64_t i = 0; i < e.num_hidden_layers; ++i)
    layers_.push_back(
        layers->register_module(std::to_string(i), std::make_shared<BertLayer>(e, i)));
  const auto pooler = folder_in(*bert, "pooler");
  pooler_ =
      pooler->register_module("dense", std::make_shared<BertLinear>(e.hidden_size, e.hidden_size));
  head_ = register_module(
      "classifier",
      std::make_shared<BertLinear>(static_cast<int64_t>(config.labels.size()), e.hidden_size));
}

void BertClassifier::initialise(const Run& run) {
  draw_matrices(*this, config_.initializer_range, run);
}

at::Tensor BertClassifier::embed(const Batch& batch) const {
  return nn::embed(batch.inputs.reshape({-1}), words_)
      .view({batch.inputs.size(0), batch.inputs.size(1), -1});
}

at::Tensor BertClassifier::embedded(const Batch& batch, const BertPass& pass) const {
  const at::Tensor words = batch.embeddings.defined() ? batch.embeddings : embed(batch);
  const at::Tensor sum = words + positions_.narrow(0, 0, pass.length) + types_[0];
  return pass.drop(embedding_norm_->forward(sum.reshape({-1, sum.size(2)})), kEmbeddingSite);
}

at::Tensor BertClassifier::logits(const Batch& batch, const BertOptions& options,
                                  std::vector<at::Tensor>* outputs) {
  BertPass pass{batch.inputs.size(0), batch.inputs.size(1), {}, options};
  if (batch.lengths.defined() && batch.lengths.min().item<int64_t>() < pass.length) {
    const at::Tensor place = at::arange(pass.length, batch.lengths.options());
    pass.visible = (place < batch.lengths.unsqueeze(1)).view({pass.batch, 1, 1, pass.length});
  }
  at::Tensor x = embedded(batch, pass);
  for (const auto& layer : layers_) {
    const auto run = [layer, pass](const at::Tensor& in, bool) { return layer->forward(in, pass); };
    x = options.recompute ? recompute(run, x) : run(x, false);
    if (outputs != nullptr) outputs->push_back(x);
  }
  // The vector of the first token, [CLS], stands for the text.
  const at::Tensor first = x.view({pass.batch, pass.length, -1}).select(1, 0).contiguous();
  return head_->forward(pass.drop(at::tanh(pooler_->forward(first)), kPooledSite));
}

at::Tensor BertClassifier::loss(const Batch& batch, const BertOptions& options) {
  return at::cross_entropy_loss(logits(batch, options), batch.labels, {}, at::Reduction::Sum);
}

}  // namespace cupel::nn

#include "nn/llm/decoder_nn.h"

#include <algorithm>
#include <string>

#include "base/error.h"
#include "nn/initial_weights_nn.h"
#include "nn/llm/families.h"
#include "nn/llm/rope.h"
#include "nn/recompute_nn.h"

namespace cupel::llm {
namespace {

constexpr int64_t kNoLabel = -100;

/// Branches that dropout tells apart: two a block.
uint64_t attention_site(uint64_t block) { return 2 * block + 1; }
uint64_t feed_forward_site(uint64_t block) { return 2 * block + 2; }

at::Tensor flat(const at::Tensor& tensor) { return tensor.reshape({-1}); }

/// [T] bool: true before a row's end, false in the padding behind it.
at::Tensor before_padding(const at::Tensor& lengths, int64_t length) {
  return flat(at::arange(length, lengths.options()).unsqueeze(0) < lengths.unsqueeze(1));
}

}  // namespace

Block::Block(const ModelConfig& config, int64_t index) : index_(static_cast<uint64_t>(index)) {
  const Family& family = *find_family(config.family);
  input_norm_ = register_module("input_layernorm",
                                std::make_shared<RmsNorm>(config.hidden_size, config.rms_norm_eps));
  if (family.latent_attention) {
    attention_ = register_module("self_attn", std::make_shared<LatentAttention>(config));
  } else {
    attention_ = register_module("self_attn", std::make_shared<GroupedAttention>(config, index));
  }
  post_attention_norm_ =
      register_module("post_attention_layernorm",
                      std::make_shared<RmsNorm>(config.hidden_size, config.rms_norm_eps));
  if (config.routes(index)) {
    experts_ = register_module("mlp", std::make_shared<Experts>(config));
  } else {
    mlp_ = register_module("mlp", std::make_shared<Mlp>(config.hidden_size,
                                                        config.intermediate_size, config.mlp_bias));
  }
}

at::Tensor Block::feed_forward(const at::Tensor& x, const Pass& pass) {
  return experts_ ? experts_->forward(x, pass) : mlp_->forward(x, pass);
}

Stream Block::forward(const Stream& stream, const Pass& pass) {
  const nn::Normed before = nn::add_rms_norm(stream.x, stream.delta, input_norm_->weight,
                                             input_norm_->epsilon, pass.storage);
  const at::Tensor attended =
      pass.drop(attention_->forward(before.normed, pass), attention_site(index_));
  const nn::Normed between = nn::add_rms_norm(before.sum, attended, post_attention_norm_->weight,
                                              post_attention_norm_->epsilon, pass.storage);
  return {between.sum, pass.drop(feed_forward(between.normed, pass), feed_forward_site(index_))};
}

Stream Block::forward_recomputed(const Stream& stream, const Pass& pass) {
  CUPEL_ASSERT(!stream.delta.defined());
  const auto run = [this, pass](const at::Tensor& x, bool again) {
    Pass now = pass;
    now.count_load = pass.count_load && !again;
    const Stream out = forward({x, {}}, now);
    return out.x + out.delta;
  };
  return {nn::recompute(run, stream.x), {}};
}

Stream Block::extend(const Stream& stream, const Pass& pass, AttentionCache& cache) {
  const nn::Normed before = nn::add_rms_norm(stream.x, stream.delta, input_norm_->weight,
                                             input_norm_->epsilon, pass.storage);
  const nn::Normed between =
      nn::add_rms_norm(before.sum, attention_->extend(before.normed, pass, cache),
                       post_attention_norm_->weight, post_attention_norm_->epsilon, pass.storage);
  return {between.sum, feed_forward(between.normed, pass)};
}

MultiTokenLayer::MultiTokenLayer(const ModelConfig& config, int64_t index) : Block(config, index) {
  const int64_t width = config.hidden_size;
  const auto norm = [&](const char* name) {
    return register_module(name, std::make_shared<RmsNorm>(width, config.rms_norm_eps));
  };
  embedding_norm_ = norm("enorm");
  hidden_norm_ = norm("hnorm");
  projection_ = register_module("eh_proj", std::make_shared<Linear>(width, 2 * width));
  const auto head = register_module("shared_head", std::make_shared<torch::nn::Module>());
  head_norm_ = head->register_module("norm", std::make_shared<RmsNorm>(width, config.rms_norm_eps));
}

at::Tensor MultiTokenLayer::predict(const at::Tensor& next, const at::Tensor& hidden,
                                    const Pass& pass, bool recompute) {
  const at::Tensor token =
      nn::rms_norm(next, embedding_norm_->weight, embedding_norm_->epsilon).to(pass.storage);
  const at::Tensor before = nn::rms_norm(hidden, hidden_norm_->weight, hidden_norm_->epsilon);
  const at::Tensor x =
      projection_->forward(at::cat({token, before}, 1), pass).to(next.scalar_type());
  const Stream out = recompute ? forward_recomputed({x, {}}, pass) : forward({x, {}}, pass);
  return nn::add_rms_norm(out.x, out.delta, head_norm_->weight, head_norm_->epsilon, pass.storage)
      .normed;
}

Decoder::Decoder(const ModelConfig& config) : config_(config) {
  const auto model = register_module("model", std::make_shared<torch::nn::Module>());
  const auto embedding =
      model->register_module("embed_tokens", std::make_shared<torch::nn::Module>());
  embedding_ = embedding->register_parameter(
      "weight", at::zeros({config.vocab_size, config.hidden_size}, at::kFloat));
  const auto layers = model->register_module("layers", std::make_shared<torch::nn::Module>());
  for (int64_t i = 0; i < config.num_hidden_layers; ++i)
    blocks_.push_back(
        layers->register_module(std::to_string(i), std::make_shared<Block>(config, i)));
  for (int64_t i = 0; i < config.num_nextn_predict_layers; ++i) {
    const int64_t index = config.num_hidden_layers + i;
    mtp_layers_.push_back(layers->register_module(
        std::to_string(index), std::make_shared<MultiTokenLayer>(config, index)));
  }
  norm_ = model->register_module(
      "norm", std::make_shared<RmsNorm>(config.hidden_size, config.rms_norm_eps));
  if (!config.tie_word_embeddings)
    head_ =
        register_module("lm_head", std::make_shared<Linear>(config.vocab_size, config.hidden_size));
}

void Decoder::initialise(const Run& run) {
  nn::draw_matrices(*this, config_.initializer_range, run);
}

std::vector<Experts*> Decoder::expert_layers() const {
  std::vector<Experts*> layers;
  const auto add = [&](const Block& block) {
    if (block.experts() != nullptr) layers.push_back(block.experts());
  };
  for (const auto& block : blocks_) add(*block);
  for (const auto& layer : mtp_layers_) add(*layer);
  return layers;
}

nn::Weight Decoder::head_in(at::ScalarType storage) {
  return head_ ? head_->weight_in(storage) : embedding_copy_.get(embedding_, storage);
}

nn::Positions Decoder::positions_of(int64_t batch, int64_t length, const at::Tensor& positions) {
  int64_t needed = length;
  if (positions.defined()) needed = std::max(needed, positions.max().item<int64_t>() + 1);
  const at::TensorOptions like = embedding_.options().requires_grad(false);
  if (!cosine_.defined() || cosine_.size(0) < needed || cosine_.dtype() != like.dtype() ||
      cosine_.device() != like.device()) {
    const RotaryTables tables = rotary_tables(config_, needed);
    const auto tensor = [&](const std::vector<double>& values) {
      return at::tensor(values, at::kDouble).view({needed, tables.pairs}).to(like);
    };
    cosine_ = tensor(tables.cosine);
    sine_ = tensor(tables.sine);
  }
  if (!positions.defined())
    return {batch, length, cosine_.narrow(0, 0, length), sine_.narrow(0, 0, length), {}};
  const at::Tensor place = flat(positions);
  return {batch, length, cosine_.index_select(0, place), sine_.index_select(0, place), {}};
}

at::Tensor Decoder::embed(const nn::Batch& batch) const {
  return nn::embed(flat(batch.inputs), embedding_)
      .view({batch.inputs.size(0), batch.inputs.size(1), config_.hidden_size});
}

Decoder::Inputs Decoder::inputs_of(const nn::Batch& batch, const LossOptions& options) {
  const int64_t rows = batch.inputs.size(0), length = batch.inputs.size(1);
  Inputs inputs;
  inputs.ids = flat(batch.inputs);
  inputs.embeddings = batch.embeddings.defined()
                          ? batch.embeddings.reshape({rows * length, config_.hidden_size})
                          : nn::embed(inputs.ids, embedding_);
  inputs.pass.positions = positions_of(rows, length, batch.positions);
  inputs.pass.positions.first = batch.first;
  inputs.pass.storage = options.storage == at::kFloat ? embedding_.scalar_type() : options.storage;
  inputs.pass.dropout = options.dropout;
  inputs.pass.dropout_key = options.dropout_key;
  inputs.pass.adapter_dropout = options.adapter_dropout;
  inputs.pass.count_load = options.count_load;
  // A hook may have changed the rows and left their lengths.
  if (options.count_load && batch.lengths.defined() && batch.lengths.size(0) == rows)
    inputs.pass.counted = before_padding(batch.lengths, length);
  return inputs;
}

at::Tensor Decoder::hidden(const Inputs& inputs, bool recompute) {
  Stream stream{inputs.embeddings, {}};
  // Of a table that is not trained; what is computed again must hang on something.
  if (recompute && at::GradMode::is_enabled() && !stream.x.requires_grad())
    stream.x = stream.x.detach().requires_grad_(true);
  for (const auto& block : blocks_)
    stream = recompute ? block->forward_recomputed(stream, inputs.pass)
                       : block->forward(stream, inputs.pass);
  return nn::add_rms_norm(stream.x, stream.delta, norm_->weight, norm_->epsilon,
                          inputs.pass.storage)
      .normed;
}

ShiftedBatch shifted(const at::Tensor& ids, const at::Tensor& labels, const at::Tensor& first) {
  const int64_t length = ids.size(1);
  ShiftedBatch result{at::zeros_like(ids), at::full_like(labels, kNoLabel)};
  if (length < 2) return result;
  const auto head = [&](const at::Tensor& tensor) { return tensor.narrow(1, 0, length - 1); };
  const auto tail = [&](const at::Tensor& tensor) { return tensor.narrow(1, 1, length - 1); };
  head(result.ids).copy_(tail(ids));
  at::Tensor next = tail(labels);
  if (first.defined()) next = next.masked_fill(tail(first) != head(first), kNoLabel);
  head(result.labels).copy_(next);
  return result;
}

at::Tensor Decoder::mtp_loss_of(const nn::Batch& batch, const Inputs& inputs, at::Tensor hidden,
                                bool recompute) {
  at::Tensor sum;
  ShiftedBatch shift{batch.inputs, batch.labels};
  for (const auto& layer : mtp_layers_) {
    shift = shifted(shift.ids, shift.labels, batch.first);
    hidden = layer->predict(nn::embed(flat(shift.ids), embedding_), hidden, inputs.pass, recompute);
    const at::Tensor loss =
        nn::linear_cross_entropy(hidden, head_in(inputs.pass.storage), flat(shift.labels));
    sum = sum.defined() ? sum + loss : loss;
  }
  return sum / static_cast<double>(mtp_layers_.size());
}

at::Tensor Decoder::loss(const nn::Batch& batch, const LossOptions& options) {
  const Inputs inputs = inputs_of(batch, options);
  const at::Tensor last = hidden(inputs, options.recompute);
  const at::Tensor loss =
      nn::linear_cross_entropy(last, head_in(inputs.pass.storage), flat(batch.labels));
  if (mtp_layers_.empty() || options.mtp_loss_weight == 0) return loss;
  const at::Tensor further = mtp_loss_of(batch, inputs, last, options.recompute);
  mtp_loss_ = further.item<double>();
  return loss + options.mtp_loss_weight * (further - further.detach());
}

at::Tensor Decoder::logits(const at::Tensor& ids) {
  nn::Batch batch;
  batch.inputs = ids.to(embedding_.device());
  const at::Tensor last = hidden(inputs_of(batch, {}), false);
  return nn::linear(last, head_in(last.scalar_type())).view({ids.size(0), ids.size(1), -1});
}

at::Tensor Decoder::mtp_logits(const at::Tensor& ids) {
  CUPEL_ASSERT(!mtp_layers_.empty());
  nn::Batch batch;
  batch.inputs = ids;
  const Inputs inputs = inputs_of(batch, {});
  const ShiftedBatch shift = shifted(ids, ids, {});
  const at::Tensor last = mtp_layers_[0]->predict(nn::embed(flat(shift.ids), embedding_),
                                                  hidden(inputs, false), inputs.pass, false);
  return nn::linear(last, head_in(last.scalar_type())).view({ids.size(0), ids.size(1), -1});
}

at::Tensor Decoder::extend(const at::Tensor& ids, DecoderCache& cache) {
  at::NoGradGuard no_grad;
  const int64_t count = ids.size(0);
  cache.layers.resize(blocks_.size());
  Pass pass;
  pass.storage = embedding_.scalar_type();
  const at::Tensor here = ids.to(embedding_.device());
  pass.positions =
      positions_of(1, count, at::arange(cache.length, cache.length + count, here.options()));
  Stream stream{nn::embed(here, embedding_), {}};
  for (std::size_t i = 0; i < blocks_.size(); ++i)
    stream = blocks_[i]->extend(stream, pass, cache.layers[i]);
  cache.length += count;
  const at::Tensor last =
      nn::add_rms_norm(stream.x.narrow(0, count - 1, 1), stream.delta.narrow(0, count - 1, 1),
                       norm_->weight, norm_->epsilon, pass.storage)
          .normed;
  return nn::linear(last, head_in(pass.storage)).squeeze(0);
}

}  // namespace cupel::llm

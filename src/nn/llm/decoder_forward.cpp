#include "nn/llm/decoder_forward.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "nn/llm/decoder_scratch.h"
#include "nn/llm/families.h"
#include "nn/llm/rope.h"
#include "nn/llm/route.h"

namespace cupel::llm {
namespace {

// Rows of a product at a time: a strip's buffers stay in the cache. Multiples of 16, as LinearInput
// wants them.
constexpr int64_t kStripRows = 256, kCodedStripRows = 96;
// With fewer tokens a thread, threads share out a product's outputs instead of tokens.
constexpr int64_t kLeastRows = 16;

}  // namespace

DecoderForward::DecoderForward(const ModelConfig& config, const DecoderWeights& weights,
                               ThreadPool& pool)
    : config_(config),
      weights_(weights),
      pool_(pool),
      element_bytes_(weights.format.layers.element == Element::f32 ? 4 : 2),
      strip_rows_(weights.format.layers.linear == nn::LinearFormat::element ? kStripRows
                                                                            : kCodedStripRows),
      heads_(config.num_attention_heads),
      pairs_(config.rotary_width() / 2),
      scale_(static_cast<float>(attention_scale(config))),
      interleaved_(config.interleaves()) {
  if (find_family(config.family)->latent_attention) {
    key_value_heads_ = 1;
    key_width_ = config.kv_lora_rank + config.qk_rope_head_dim;
    value_width_ = config.kv_lora_rank;
  } else {
    key_value_heads_ = config.num_key_value_heads.value_or(heads_);
    key_width_ = value_width_ = config.rotary_width();
  }
}

void DecoderForward::extend(std::span<const Continuation> continuations) {
  const bool latent = find_family(config_.family)->latent_attention;
  std::vector<int64_t> positions;
  for (const Continuation& continuation : continuations) {
    KeyValueCache& cache = *continuation.cache;
    positions.push_back(cache.length());
    cache.layers.resize(weights_.layers.size() + (weights_.prediction ? 1 : 0));
    cache.grow(static_cast<int64_t>(continuation.ids.size()),
               key_value_heads_ * key_width_ * element_bytes_,
               latent ? 0 : key_value_heads_ * value_width_ * element_bytes_);
  }
  begin(continuations, positions);
  const std::size_t layers = weights_.layers.size();
  share_out([&](Rows rows) {
    embed(rows);
    if (layers > 0) project(0, rows);
  });
  for (std::size_t layer = 0; layer < layers; ++layer) {
    attend(layer);
    share_out([&](Rows rows) {
      finish_layer(layer, rows);
      if (layer + 1 < layers) project(layer + 1, rows);
    });
  }
}

const DecoderLayer& DecoderForward::layer_of(std::size_t index) const {
  return index < weights_.layers.size() ? weights_.layers[index] : weights_.prediction->layer;
}

/// Where each row stands in its sequence, how it is rotated, and room for what it goes through.
void DecoderForward::begin(std::span<const Continuation> continuations,
                           std::span<const int64_t> positions) {
  continuations_ = continuations;
  starts_.assign(1, 0);
  positions_.clear();
  owner_.clear();
  int64_t longest = 0;
  for (std::size_t at = 0; at < continuations.size(); ++at) {
    const auto count = static_cast<int64_t>(continuations[at].ids.size());
    CUPEL_ASSERT(count > 0);
    for (int64_t i = 0; i < count; ++i) {
      positions_.push_back(positions[at] + i);
      owner_.push_back(static_cast<int64_t>(at));
    }
    starts_.push_back(starts_.back() + count);
    longest = std::max(longest, positions[at] + count);
  }
  const int64_t tokens = starts_.back();
  room(x_, tokens * config_.hidden_size);
  room(queries_, tokens * heads_ * key_width_ * element_bytes_);
  room(context_, tokens * heads_ * value_width_);
  if (static_cast<int64_t>(all_cosine_.size()) < longest * pairs_) {
    const RotaryTables tables = rotary_tables(config_, 2 * longest);
    all_cosine_.assign(tables.cosine.begin(), tables.cosine.end());
    all_sine_.assign(tables.sine.begin(), tables.sine.end());
  }
  float* cosine = room(cosine_, starts_.back() * pairs_);
  float* sine = room(sine_, starts_.back() * pairs_);
  for (const int64_t position : positions_) {
    cosine = std::copy_n(all_cosine_.data() + position * pairs_, pairs_, cosine);
    sine = std::copy_n(all_sine_.data() + position * pairs_, pairs_, sine);
  }
}

void DecoderForward::share_out(const std::function<void(Rows)>& body) {
  const int64_t tokens = starts_.back(), threads = pool_.size();
  if (tokens < kLeastRows * threads || threads == 1 || watcher_) {
    for (int64_t row = 0; row < tokens; row += strip_rows_)
      body({row, std::min(row + strip_rows_, tokens)});
    return;
  }
  const int64_t share = ((tokens + threads - 1) / threads + 15) / 16 * 16;
  pool_.parallel_for(tokens, std::min(share, strip_rows_), [&](int64_t begin, int64_t end) {
    body({begin, end});
  });
}

void DecoderForward::embed(Rows rows) {
  const int64_t width = config_.hidden_size;
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const auto owner = static_cast<std::size_t>(owner_[static_cast<std::size_t>(row)]);
    const int32_t id = continuations_[owner].ids[static_cast<std::size_t>(row - starts_[owner])];
    CUPEL_ASSERT(id >= 0 && id < config_.vocab_size);
    const std::byte* from = weights_.embedding.data() + id * width * element_bytes_;
    float* to = x_.data() + row * width;
    if (element_bytes_ == 4) {
      std::copy_n(reinterpret_cast<const float*>(from), width, to);
    } else {
      kernels().from_16bit(from, weights_.format.layers.element, to, width);
    }
  }
}

/// scratch.normed and scratch.input: the rows of x behind a norm.
void DecoderForward::normalise(const std::vector<float>& weight, double epsilon, Rows rows,
                               Scratch& scratch) {
  const int64_t width = config_.hidden_size, count = rows.end - rows.begin;
  float* normed = room(scratch.normed, count * width);
  kernels().rms_norm(x_.data() + rows.begin * width, width, weight.data(),
                     static_cast<float>(epsilon), normed, room(scratch.inverse, count), count,
                     width);
  scratch.input.bind(weights_.format.layers, normed, count, width);
  scratch.input.take(0, count);
}

/// y[rows, linear.out] = input · weightᵀ + bias, or added to y.
void DecoderForward::multiply(const SplitLinear& linear, const nn::LinearInput& input, int64_t rows,
                              float* y, bool accumulate) {
  if (watcher_) watcher_(linear, input.rows(), rows);
  pool_.parallel_for(static_cast<int64_t>(linear.parts.size()), 1, [&](int64_t part, int64_t) {
    input.multiply(0, rows, linear.parts[static_cast<std::size_t>(part)],
                   y + part * linear.part_outputs, linear.out, accumulate,
                   DecoderScratch::of_thread().products);
  });
  if (linear.bias.empty()) return;
  for (int64_t row = 0; row < rows; ++row, y += linear.out)
    for (int64_t i = 0; i < linear.out; ++i) y[i] += linear.bias[static_cast<std::size_t>(i)];
}

void DecoderForward::finish_layer(std::size_t index, Rows rows) {
  const DecoderLayer& layer = layer_of(index);
  Scratch& scratch = Scratch::of_thread();
  const int64_t width = config_.hidden_size, count = rows.end - rows.begin;
  float* x = x_.data() + rows.begin * width;
  const float* context = context_.data() + rows.begin * heads_ * value_width_;
  if (layer.latent) {
    expand_values(*layer.latent, rows, scratch);
    context = scratch.active.data();
  }
  scratch.active_input.bind(weights_.format.layers, context, count, layer.attention_out.in);
  scratch.active_input.take(0, count);
  multiply(layer.attention_out, scratch.active_input, count, x, true);
  normalise(layer.post_attention_norm, config_.rms_norm_eps, rows, scratch);
  if (layer.routed) {
    feed_experts(*layer.routed, rows, scratch);
  } else {
    feed_forward(layer.dense, scratch.input, count, x, true, scratch);
  }
}

void DecoderForward::feed_forward(const GatedLayer& layer, const nn::LinearInput& input,
                                  int64_t rows, float* y, bool accumulate, Scratch& scratch) {
  const int64_t inner = layer.down.in;
  float* wide = room(scratch.wide, rows * 2 * inner);
  multiply(layer.gate_up, input, rows, wide, false);
  float* active = room(scratch.active, rows * inner);
  kernels().swiglu(wide, active, rows, inner);
  scratch.active_input.bind(weights_.format.layers, active, rows, inner);
  scratch.active_input.take(0, rows);
  multiply(layer.down, scratch.active_input, rows, y, accumulate);
}

/// Expert by expert, so that a token's sum has one order whatever tokens come with it.
void DecoderForward::feed_experts(const RoutedLayer& layer, Rows rows, Scratch& scratch) {
  const int64_t width = config_.hidden_size, count = rows.end - rows.begin;
  const auto experts = static_cast<int64_t>(layer.experts.size());
  float* x = x_.data() + rows.begin * width;
  nn::LinearInput exact;
  exact.bind({}, scratch.normed.data(), count, width);
  float* scores = room(scratch.chances, count * experts);
  multiply(layer.router, exact, count, scores, false);
  const RoutedTokens routed = route(config_, layer.balance, scores, count);
  for (int64_t expert = 0; expert < experts; ++expert) {
    const std::vector<RoutedTokens::Share>& shares =
        routed.of_expert[static_cast<std::size_t>(expert)];
    const auto size = static_cast<int64_t>(shares.size());
    if (size == 0) continue;
    float* gathered = room(scratch.gathered, size * width);
    for (int64_t i = 0; i < size; ++i)
      std::copy_n(scratch.normed.data() + shares[static_cast<std::size_t>(i)].row * width, width,
                  gathered + i * width);
    scratch.gathered_input.bind(weights_.format.layers, gathered, size, width);
    scratch.gathered_input.take(0, size);
    float* mixed = room(scratch.mixed, size * width);
    feed_forward(layer.experts[static_cast<std::size_t>(expert)], scratch.gathered_input, size,
                 mixed, false, scratch);
    for (const RoutedTokens::Share& share : shares)
      for (int64_t i = 0; i < width; ++i) x[share.row * width + i] += share.weight * *mixed++;
  }
  if (layer.shared) feed_forward(*layer.shared, scratch.input, count, x, true, scratch);
}

void DecoderForward::logits(std::span<const int64_t> rows, float* out) {
  head(weights_.norm, rows, out);
}

void DecoderForward::hidden(std::span<const int64_t> rows, float* out) const {
  normed_rows(weights_.norm, rows, out);
}

/// [rows, width] of x behind a norm.
void DecoderForward::normed_rows(const std::vector<float>& norm, std::span<const int64_t> rows,
                                 float* out) const {
  const int64_t width = config_.hidden_size;
  float inverse;
  for (const int64_t row : rows) {
    kernels().rms_norm(x_.data() + row * width, width, norm.data(),
                       static_cast<float>(config_.rms_norm_eps), out, &inverse, 1, width);
    out += width;
  }
}

void DecoderForward::head(const std::vector<float>& norm, std::span<const int64_t> rows,
                          float* out) {
  const int64_t width = config_.hidden_size;
  Scratch& scratch = Scratch::of_thread();
  for (std::size_t first = 0; first < rows.size(); first += static_cast<std::size_t>(strip_rows_)) {
    const auto count =
        static_cast<int64_t>(std::min(rows.size() - first, static_cast<std::size_t>(strip_rows_)));
    float* normed = room(scratch.normed, count * width);
    normed_rows(norm, rows.subspan(first, static_cast<std::size_t>(count)), normed);
    scratch.input.bind(weights_.format.head, normed, count, width);
    scratch.input.take(0, count);
    multiply(weights_.head, scratch.input, count,
             out + static_cast<int64_t>(first) * config_.vocab_size, false);
  }
}

void DecoderForward::to_element(const float* x, std::byte* y, int64_t size) const {
  if (element_bytes_ == 4) {
    std::copy_n(x, size, reinterpret_cast<float*>(y));
  } else {
    kernels().to_16bit(x, y, weights_.format.layers.element, size);
  }
}

}  // namespace cupel::llm

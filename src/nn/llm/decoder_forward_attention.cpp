// Attention of DecoderForward. Latent attention is computed on latents: with the up-projections of
// keys absorbed into queries and those of values applied behind the softmax (DeepSeek-V2, section
// 2.1.2) it is attention with one key head, whose values are the front of its keys.
#include <algorithm>

#include "nn/llm/decoder_forward.h"
#include "nn/llm/decoder_scratch.h"

namespace cupel::llm {
namespace {

// Reference implementations fix this epsilon whatever rms_norm_eps says.
constexpr double kLatentEpsilon = 1e-6;
constexpr int64_t kQueryRows = 64;  // of a head at a time

}  // namespace

/// Queries that see the same keys: `count` rows `stride` elements apart, the first at `position`,
/// each `step` further.
struct DecoderForward::Queries {
  const std::byte* first;
  int64_t stride, count, position, step;
  int64_t key_value_head;
  std::optional<int64_t> window;
  float* out;
  int64_t out_stride;
};

void DecoderForward::rotate(float* x, int64_t stride, Rows rows) const {
  kernels().rope(x, stride, cosine_.data() + rows.begin * pairs_,
                 sine_.data() + rows.begin * pairs_, 1, interleaved_, x, stride,
                 rows.end - rows.begin, 2 * pairs_);
}

/// Queries of the rows, and what the cache keeps of them.
void DecoderForward::project(std::size_t index, Rows rows) {
  const DecoderLayer& layer = layer_of(index);
  Scratch& scratch = Scratch::of_thread();
  normalise(layer.input_norm, config_.rms_norm_eps, rows, scratch);
  layer.latent ? project_latent(index, rows, scratch) : project_grouped(index, rows, scratch);
}

/// Where the cache of a row's sequence keeps that row, `width` elements.
std::byte* DecoderForward::cached(std::vector<std::byte> KeyValueCache::Layer::*which,
                                  std::size_t layer, int64_t row, int64_t width) const {
  const auto at = static_cast<std::size_t>(row);
  KeyValueCache& cache = *continuations_[static_cast<std::size_t>(owner_[at])].cache;
  return (cache.layers[layer].*which).data() + positions_[at] * width * element_bytes_;
}

void DecoderForward::project_grouped(std::size_t index, Rows rows, Scratch& scratch) {
  const DecoderLayer& layer = layer_of(index);
  const int64_t count = rows.end - rows.begin, dim = key_width_, out = layer.query_key_value.out;
  const int64_t kept = key_value_heads_ * dim;
  float* wide = room(scratch.wide, count * out);
  multiply(layer.query_key_value, scratch.input, count, wide, false);
  const auto by_head = [&](int64_t first, int64_t heads, const std::vector<float>& norm) {
    for (int64_t row = 0; row < count && !norm.empty(); ++row) {
      float* x = wide + row * out + first * dim;
      kernels().rms_norm(x, dim, norm.data(), static_cast<float>(config_.rms_norm_eps), x,
                         room(scratch.inverse, heads), heads, dim);
    }
    for (int64_t head = first; head < first + heads; ++head) rotate(wide + head * dim, out, rows);
  };
  by_head(0, heads_, layer.query_norm);
  by_head(heads_, key_value_heads_, layer.key_norm);
  for (int64_t row = rows.begin; row < rows.end; ++row, wide += out) {
    to_element(wide, queries_.data() + row * heads_ * dim * element_bytes_, heads_ * dim);
    to_element(wide + heads_ * dim, cached(&KeyValueCache::Layer::keys, index, row, kept), kept);
    to_element(wide + heads_ * dim + kept, cached(&KeyValueCache::Layer::values, index, row, kept),
               kept);
  }
}

void DecoderForward::project_latent(std::size_t index, Rows rows, Scratch& scratch) {
  const LatentProjections& latent = *layer_of(index).latent;
  const int64_t count = rows.end - rows.begin, rotary = 2 * pairs_, rank = value_width_;
  const auto norm = [&](const std::vector<float>& weight, float* x, int64_t stride, int64_t width) {
    for (int64_t row = 0; row < count; ++row, x += stride)
      kernels().rms_norm(x, width, weight.data(), static_cast<float>(kLatentEpsilon), x,
                         room(scratch.inverse, 1), 1, width);
  };
  float* keys = room(scratch.active, count * key_width_);
  multiply(latent.latent, scratch.input, count, keys, false);
  norm(latent.latent_norm, keys, key_width_, rank);
  rotate(keys + rank, key_width_, rows);
  for (int64_t row = rows.begin; row < rows.end; ++row, keys += key_width_)
    to_element(keys, cached(&KeyValueCache::Layer::keys, index, row, key_width_), key_width_);
  if (latent.query_down) {
    float* down = room(scratch.active, count * latent.query_down->out);
    multiply(*latent.query_down, scratch.input, count, down, false);
    norm(latent.query_norm, down, latent.query_down->out, latent.query_down->out);
    scratch.active_input.bind(weights_.format.layers, down, count, latent.query_down->out);
    scratch.active_input.take(0, count);
  }
  float* wide = room(scratch.wide, count * latent.query.out);
  multiply(latent.query, latent.query_down ? scratch.active_input : scratch.input, count, wide,
           false);
  const int64_t query = config_.qk_nope_head_dim + rotary;
  for (int64_t head = 0; head < heads_; ++head)
    rotate(wide + head * query + config_.qk_nope_head_dim, latent.query.out, rows);
  absorb(latent, rows, scratch);
}

/// Queries of latents: those without position through each head's keys, beside those with.
void DecoderForward::absorb(const LatentProjections& latent, Rows rows, Scratch& scratch) {
  const int64_t count = rows.end - rows.begin, rank = value_width_, nope = config_.qk_nope_head_dim;
  const int64_t query = nope + 2 * pairs_, stride = heads_ * key_width_;
  const Element element = weights_.format.layers.element;
  std::byte* out = queries_.data() + rows.begin * stride * element_bytes_;
  for (int64_t head = 0; head < heads_; ++head, out += key_width_ * element_bytes_) {
    const float* x = scratch.wide.data() + head * query;
    const std::byte* keys =
        latent.expand.data() + head * (nope + config_.v_head_dim) * rank * element_bytes_;
    const GemmArgs args = {count, rank,           nope,                   //
                           x,     heads_ * query, 1,       Element::f32,  //
                           keys,  rank,           1,       element,       //
                           out,   stride,         element, false};
    kernels().gemm(args, scratch.products.for_gemm());
    for (int64_t row = 0; row < count; ++row)
      to_element(x + row * heads_ * query + nope, out + (row * stride + rank) * element_bytes_,
                 2 * pairs_);
  }
}

/// scratch.active: each head's values of the latents that attention gathered.
void DecoderForward::expand_values(const LatentProjections& latent, Rows rows, Scratch& scratch) {
  const int64_t count = rows.end - rows.begin, rank = value_width_, value = config_.v_head_dim;
  const int64_t nope = config_.qk_nope_head_dim;
  float* out = room(scratch.active, count * heads_ * value);
  for (int64_t head = 0; head < heads_; ++head) {
    const float* mixed = context_.data() + (rows.begin * heads_ + head) * rank;
    const std::byte* values =
        latent.expand.data() + (head * (nope + value) + nope) * rank * element_bytes_;
    const GemmArgs args = {count,
                           value,
                           rank,  //
                           mixed,
                           heads_ * rank,
                           1,
                           Element::f32,  //
                           values,
                           1,
                           rank,
                           weights_.format.layers.element,  //
                           out + head * value,
                           heads_ * value,
                           Element::f32,
                           false};
    kernels().gemm(args, scratch.products.for_gemm());
  }
}

/// context = attention of every head, each sequence by itself. A lone token's heads of one group go
/// together.
void DecoderForward::attend(std::size_t layer) {
  struct Task {
    std::size_t sequence;
    int64_t head, heads;
  };
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < continuations_.size(); ++i) {
    const int64_t together = continuations_[i].ids.size() == 1 ? heads_ / key_value_heads_ : 1;
    for (int64_t head = 0; head < heads_; head += together) tasks.push_back({i, head, together});
  }
  pool_.parallel_for(static_cast<int64_t>(tasks.size()), 1, [&](int64_t at, int64_t) {
    const Task& task = tasks[static_cast<std::size_t>(at)];
    attend_heads(layer, task.sequence, task.head, task.heads);
  });
}

void DecoderForward::attend_heads(std::size_t layer, std::size_t sequence, int64_t head,
                                  int64_t heads) {
  const KeyValueCache& cache = *continuations_[sequence].cache;
  const int64_t begin = starts_[sequence], end = starts_[sequence + 1];
  const auto queries = [&](int64_t row) {
    return Queries{queries_.data() + (row * heads_ + head) * key_width_ * element_bytes_,
                   heads_ * key_width_,
                   1,
                   positions_[static_cast<std::size_t>(row)],
                   1,
                   head / (heads_ / key_value_heads_),
                   config_.window(static_cast<int64_t>(layer)),
                   context_.data() + (row * heads_ + head) * value_width_,
                   heads_ * value_width_};
  };
  if (heads > 1) {
    Queries lone = queries(begin);
    lone.stride = key_width_;
    lone.count = heads;
    lone.step = 0;
    lone.out_stride = value_width_;
    return attend_rows(lone, cache.layers[layer]);
  }
  for (int64_t row = begin; row < end; row += kQueryRows) {
    Queries block = queries(row);
    block.count = std::min(kQueryRows, end - row);
    attend_rows(block, cache.layers[layer]);
  }
}

/// softmax(q · kᵀ · scale) · v. What a query does not see gets a share of zero, which changes no
/// bit of the sum.
void DecoderForward::attend_rows(const Queries& queries, const KeyValueCache::Layer& cache) {
  Scratch& scratch = Scratch::of_thread();
  const Element element = weights_.format.layers.element;
  const int64_t count = queries.count, key_row = key_value_heads_ * key_width_;
  const int64_t seen = queries.position + queries.step * (count - 1) + 1;
  const bool latent = cache.values.empty();
  const std::byte* keys = cache.keys.data() + queries.key_value_head * key_width_ * element_bytes_;
  const std::byte* values =
      latent ? keys : cache.values.data() + queries.key_value_head * value_width_ * element_bytes_;
  float* scores = room(scratch.scores, count * seen);
  std::byte* shares = room(scratch.shares, count * seen * element_bytes_);
  void* workspace = scratch.products.for_gemm();
  const GemmArgs score = {count,
                          seen,
                          key_width_,  //
                          queries.first,
                          queries.stride,
                          1,
                          element,  //
                          keys,
                          1,
                          key_row,
                          element,  //
                          scores,
                          seen,
                          Element::f32,
                          false};
  kernels().gemm(score, workspace);
  for (int64_t row = 0; row < count; ++row) {
    const int64_t last = queries.position + queries.step * row + 1;
    const int64_t first = std::max<int64_t>(0, last - queries.window.value_or(last));
    std::byte* to = shares + row * seen * element_bytes_;
    std::fill_n(to, first * element_bytes_, std::byte{});
    kernels().softmax(scores + row * seen + first, last - first, scale_,
                      to + first * element_bytes_, element, last - first, 1, last - first);
    std::fill(to + last * element_bytes_, to + seen * element_bytes_, std::byte{});
  }
  const GemmArgs gather = {count,
                           value_width_,
                           seen,  //
                           shares,
                           seen,
                           1,
                           element,  //
                           values,
                           latent ? key_row : key_value_heads_ * value_width_,
                           1,
                           element,  //
                           queries.out,
                           queries.out_stride,
                           Element::f32,
                           false};
  kernels().gemm(gather, workspace);
}

}  // namespace cupel::llm

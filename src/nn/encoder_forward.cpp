#include "nn/encoder_forward.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace cupel::nn {
namespace {

// Rows of a widening product at a time: its sums then stay in the cache until they are rounded.
// Multiples of 16, as LinearInput wants them.
constexpr int64_t kStripRows = 256, kQuantisedStripRows = 96;
// Below this many tokens a thread, waking it takes longer than its share.
constexpr int64_t kLeastTokens = 16;

int64_t length_of(const std::vector<int32_t>* text) { return static_cast<int64_t>(text->size()); }

}  // namespace

EncoderForward::EncoderForward(const EncoderConfig& config, const EncoderWeights& weights)
    : config_(config),
      weights_(weights),
      element_bytes_(weights.format.element == Element::f32 ? 4 : 2),
      strip_rows_(weights.format.linear == LinearFormat::element ? kStripRows
                                                                 : kQuantisedStripRows) {}

void EncoderForward::run(std::span<const std::vector<int32_t>* const> texts, ThreadPool* pool) {
  const int64_t width = config_.hidden_size;
  starts_.assign(1, 0);
  for (const auto* text : texts) starts_.push_back(starts_.back() + length_of(text));
  const int64_t tokens = starts_.back();
  stream_.bind(weights_.format, room(x_, tokens * width), tokens, width);
  context_input_.bind(weights_.format, room(context_, tokens * width), tokens, width);
  for (auto& buffer : projected_) room(buffer, tokens * 3 * width * element_bytes_);
  const std::size_t layers = weights_.layers.size();
  share_out(pool, [&](Part& part, Rows rows) {
    embed(texts, rows);
    if (layers > 0) project(0, part, rows);
  });
  for (std::size_t layer = 0; layer < layers; ++layer) {
    share_out(pool, [&](Part& part, Rows rows) {
      attend(layer, part, rows);
      feed_forward(layer, part, rows);
      if (layer + 1 < layers) project(layer + 1, part, rows);
    });
  }
}

void EncoderForward::share_out(ThreadPool* pool, const std::function<void(Part&, Rows)>& body) {
  const int64_t tokens = starts_.back();
  const int64_t threads = pool == nullptr || watcher_ ? 1 : pool->size();
  const int64_t share = std::max((tokens + threads - 1) / threads, kLeastTokens);
  const int64_t grain = (share + 15) / 16 * 16;
  const auto count = static_cast<std::size_t>((tokens + grain - 1) / grain);
  while (parts_.size() < count) parts_.push_back(std::make_unique<Part>());
  if (count <= 1) {
    if (tokens > 0) body(*parts_[0], {0, tokens});
    return;
  }
  pool->parallel_for(tokens, grain, [&](int64_t begin, int64_t end) {
    body(*parts_[static_cast<std::size_t>(begin / grain)], {begin, end});
  });
}

void EncoderForward::embed(std::span<const std::vector<int32_t>* const> texts, Rows rows) {
  const int64_t width = config_.hidden_size;
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const int64_t end = std::min(rows.end, starts_[text + 1]);
    for (int64_t row = std::max(rows.begin, starts_[text]); row < end; ++row) {
      const int64_t place = row - starts_[text];
      const int32_t id = (*texts[text])[static_cast<std::size_t>(place)];
      CUPEL_ASSERT(id >= 0 && id < config_.vocab_size);
      const float* word = weights_.words.data() + id * width;
      const float* position = weights_.positions.data() + place * width;
      float* x = x_.data() + row * width;
      for (int64_t i = 0; i < width; ++i) x[i] = word[i] + position[i];
    }
  }
  normalise(weights_.first_type, weights_.embedding, rows);
}

/// x = layer norm(x + add), and how products read it.
void EncoderForward::normalise(const std::vector<float>& add, const EncoderNorm& norm, Rows rows) {
  float* x = x_.data() + rows.begin * config_.hidden_size;
  kernels().layer_norm(x, add.data(), norm.weight.data(), norm.bias.data(),
                       static_cast<float>(config_.layer_norm_eps), x, rows.end - rows.begin,
                       config_.hidden_size);
  stream_.take(rows.begin, rows.end - rows.begin);
}

void EncoderForward::tell(std::size_t layer, EncoderSite site, const float* x, int64_t rows) const {
  if (watcher_) watcher_(static_cast<int64_t>(layer), site, x, rows);
}

/// Queries, keys and values.
void EncoderForward::project(std::size_t layer, Part& part, Rows rows) {
  const PackedLinear& linear = weights_.layers[layer].query_key_value;
  const int64_t width = config_.hidden_size, out = 3 * width;
  std::byte* all = projected_[layer % 2].data();
  tell(layer, EncoderSite::query_key_value, x_.data() + rows.begin * width, rows.end - rows.begin);
  for (int64_t row = rows.begin; row < rows.end; row += strip_rows_) {
    const int64_t count = std::min(strip_rows_, rows.end - row);
    float* sums = room(part.wide, count * out);
    stream_.multiply(row, count, linear, sums, out, false, part.scratch);
    kernels().add_bias(sums, linear.bias.data(), Activation::none, all + row * out * element_bytes_,
                       weights_.format.element, count, out);
  }
}

/// x = layer norm(x + attention(x))
void EncoderForward::attend(std::size_t layer, Part& part, Rows rows) {
  const EncoderLayer& weights = weights_.layers[layer];
  const int64_t width = config_.hidden_size, count = rows.end - rows.begin;
  for (std::size_t text = 0; text + 1 < starts_.size(); ++text) {
    const Rows all{starts_[text], starts_[text + 1]};
    const Rows queries{std::max(rows.begin, all.begin), std::min(rows.end, all.end)};
    if (queries.begin >= queries.end) continue;
    for (int64_t head = 0; head < config_.num_attention_heads; ++head)
      attend_head(projected_[layer % 2].data(), queries, all, head, part);
  }
  context_input_.take(rows.begin, count);
  tell(layer, EncoderSite::attention_out, context_.data() + rows.begin * width, count);
  context_input_.multiply(rows.begin, count, weights.attention_out, x_.data() + rows.begin * width,
                          width, true, part.scratch);
  normalise(weights.attention_out.bias, weights.after_attention, rows);
}

/// softmax(q · kᵀ / sqrt(head width)) · v of one head: every token of a text sees every other.
void EncoderForward::attend_head(const std::byte* all, Rows queries, Rows text, int64_t head,
                                 Part& part) {
  const int64_t width = config_.hidden_size, row = 3 * width;
  const int64_t dim = width / config_.num_attention_heads;
  const int64_t length = text.end - text.begin, count = queries.end - queries.begin;
  const Element element = weights_.format.element;
  const std::byte* q = all + (queries.begin * row + head * dim) * element_bytes_;
  const std::byte* k = all + (text.begin * row + width + head * dim) * element_bytes_;
  const std::byte* v = k + width * element_bytes_;
  float* scores = room(part.scores, count * length);
  std::byte* shares = room(part.shares, count * length * element_bytes_);
  float* out = context_.data() + queries.begin * width + head * dim;
  void* workspace = part.scratch.for_gemm();
  const GemmArgs score = {count,   length, dim,  //
                          q,       row,    1,
                          element,  //
                          k,       1,      row,
                          element,  //
                          scores,  length, Element::f32,
                          false};
  kernels().gemm(score, workspace);
  kernels().softmax(scores, length, 1 / std::sqrt(static_cast<float>(dim)), shares, element, length,
                    count, length);
  const GemmArgs gather = {count,   dim,    length,  //
                           shares,  length, 1,
                           element,  //
                           v,       row,    1,
                           element,  //
                           out,     width,  Element::f32,
                           false};
  kernels().gemm(gather, workspace);
}

/// x = layer norm(x + down(gelu(up(x)))). A row is activated and quantised while it is in L1.
void EncoderForward::feed_forward(std::size_t layer, Part& part, Rows rows) {
  const EncoderLayer& weights = weights_.layers[layer];
  const int64_t width = config_.hidden_size, inner = weights.up.out;
  float* active = room(part.active, strip_rows_ * inner);
  part.active_input.bind(weights_.format, active, strip_rows_, inner);
  tell(layer, EncoderSite::up, x_.data() + rows.begin * width, rows.end - rows.begin);
  for (int64_t row = rows.begin; row < rows.end; row += strip_rows_) {
    const int64_t count = std::min(strip_rows_, rows.end - row);
    float* sums = room(part.wide, count * inner);
    stream_.multiply(row, count, weights.up, sums, inner, false, part.scratch);
    for (int64_t i = 0; i < count; ++i) {
      kernels().add_bias(sums + i * inner, weights.up.bias.data(), Activation::gelu,
                         active + i * inner, Element::f32, 1, inner);
      part.active_input.take(i, 1);
    }
    tell(layer, EncoderSite::down, active, count);
    part.active_input.multiply(0, count, weights.down, x_.data() + row * width, width, true,
                               part.scratch);
  }
  normalise(weights.down.bias, weights.after_feed_forward, rows);
}

const float* EncoderForward::first_token(std::size_t text) const {
  return x_.data() + starts_[text] * config_.hidden_size;
}

void EncoderForward::mean(std::size_t text, float* vector) const {
  const int64_t width = config_.hidden_size;
  std::vector<double> sums(static_cast<std::size_t>(width));
  for (int64_t t = starts_[text]; t < starts_[text + 1]; ++t)
    for (int64_t i = 0; i < width; ++i)
      sums[static_cast<std::size_t>(i)] +=
          static_cast<double>(x_[static_cast<std::size_t>(t * width + i)]);
  double squares = 0;
  for (const double sum : sums) squares += sum * sum;
  const double factor = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (const double sum : sums) *vector++ = static_cast<float>(sum * factor);
}

void run_batches(std::size_t count, ThreadPool& pool,
                 const std::function<void(std::size_t, ThreadPool*)>& run) {
  if (count < static_cast<std::size_t>(pool.size())) {
    for (std::size_t batch = 0; batch < count; ++batch) run(batch, &pool);
  } else {
    pool.parallel_for(static_cast<int64_t>(count), 1, [&](int64_t batch, int64_t) {
      run(static_cast<std::size_t>(batch), nullptr);
    });
  }
}

EncoderPasses::Pass EncoderPasses::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<EncoderForward>(config_, weights_);
  Pass pass = std::move(idle_.back());
  idle_.pop_back();
  return pass;
}

void EncoderPasses::give(Pass pass) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(pass));
}

}  // namespace cupel::nn

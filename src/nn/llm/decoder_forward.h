// The forward pass of a decoder on the kernels, without LibTorch: several sequences at once, each
// going on from what its cache holds.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/parallel.h"
#include "nn/llm/config.h"
#include "nn/llm/decoder_weights.h"
#include "nn/llm/key_value_cache.h"

namespace cupel::llm {

struct DecoderScratch;

/// Tokens that go on a sequence, at least one.
struct Continuation {
  KeyValueCache* cache;
  std::span<const int32_t> ids;
};

/// Reads what a linear layer multiplies: x[rows, linear.in] of some tokens. Calls come one at a
/// time.
using LinearWatcher = std::function<void(const SplitLinear& linear, const float* x, int64_t rows)>;

/// Everything a token gets depends on the tokens before it in its sequence alone, to the bit: on no
/// other sequence, not on how many tokens come at once, not on the number of threads. One call at a
/// time.
class DecoderForward {
 public:
  /// All must outlive it.
  DecoderForward(const ModelConfig& config, const DecoderWeights& weights, ThreadPool& pool);

  /// From now on `watcher` sees what the layers' linear layers are given, those of experts too; a
  /// pass then takes one thread.
  void watch(LinearWatcher watcher) { watcher_ = std::move(watcher); }

  /// Appends the tokens; ids are below vocab_size.
  void extend(std::span<const Continuation> continuations);
  /// Logits [rows, vocab_size] after the tokens at these places of the last extend(), all
  /// continuations in order.
  void logits(std::span<const int64_t> rows, float* out);
  /// What the head is given there: [rows, width] behind the last norm.
  void hidden(std::span<const int64_t> rows, float* out) const;
  /// The prediction layer on tokens that extend() has appended: `next` are the tokens that follow
  /// those at `position` and behind it, `hidden` [next.size(), width] what hidden() gave for those.
  /// Writes the logits [vocab_size] of the token behind the last of `next`, unless null. Every
  /// position before must have been through it. What extend() left is gone.
  void predict(KeyValueCache& cache, int64_t position, std::span<const int32_t> next,
               const float* hidden, float* logits);

 private:
  struct Rows {
    int64_t begin, end;
  };
  using Scratch = DecoderScratch;

  void share_out(const std::function<void(Rows)>& body);
  const DecoderLayer& layer_of(std::size_t index) const;
  void begin(std::span<const Continuation> continuations, std::span<const int64_t> positions);
  void embed(Rows rows);
  void merge(const float* hidden, Rows rows, Scratch& scratch);
  void normed_rows(const std::vector<float>& norm, std::span<const int64_t> rows, float* out) const;
  void head(const std::vector<float>& norm, std::span<const int64_t> rows, float* out);
  void normalise(const std::vector<float>& weight, double epsilon, Rows rows, Scratch& scratch);
  void multiply(const SplitLinear& linear, const nn::LinearInput& input, int64_t rows, float* y,
                bool accumulate);
  void rotate(float* x, int64_t stride, Rows rows) const;
  void project(std::size_t layer, Rows rows);
  void project_grouped(std::size_t layer, Rows rows, Scratch& scratch);
  void project_latent(std::size_t layer, Rows rows, Scratch& scratch);
  void absorb(const LatentProjections& latent, Rows rows, Scratch& scratch);
  std::byte* cached(std::vector<std::byte> KeyValueCache::Layer::*which, std::size_t layer,
                    int64_t row, int64_t width) const;
  void attend(std::size_t layer);
  void attend_heads(std::size_t layer, std::size_t sequence, int64_t head, int64_t heads);
  struct Queries;
  void attend_rows(const Queries& queries, const KeyValueCache::Layer& cache);
  void finish_layer(std::size_t layer, Rows rows);
  void expand_values(const LatentProjections& latent, Rows rows, Scratch& scratch);
  void feed_forward(const GatedLayer& layer, const nn::LinearInput& input, int64_t rows, float* y,
                    bool accumulate, Scratch& scratch);
  void feed_experts(const RoutedLayer& layer, Rows rows, Scratch& scratch);
  void to_element(const float* x, std::byte* y, int64_t size) const;

  const ModelConfig& config_;
  const DecoderWeights& weights_;
  ThreadPool& pool_;
  int64_t element_bytes_, strip_rows_;
  int64_t heads_, key_value_heads_, key_width_, value_width_;  // of attention, as the cache has it
  int64_t pairs_;                                              // that are rotated
  float scale_;
  bool interleaved_;

  LinearWatcher watcher_;
  std::span<const Continuation> continuations_;
  std::vector<int64_t> starts_;               // where each continuation's rows begin, and their end
  std::vector<int64_t> positions_, owner_;    // a row each
  std::vector<float> cosine_, sine_;          // [rows, rotary / 2]
  std::vector<float> all_cosine_, all_sine_;  // [positions so far, rotary / 2]
  std::vector<float> x_;                      // [rows, width]
  std::vector<std::byte> queries_;            // [rows, heads, key_width]
  std::vector<float> context_;                // [rows, heads, value_width]
};

}  // namespace cupel::llm

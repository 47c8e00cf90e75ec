// The forward pass of an encoder over texts whose tokens stand below each other.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "nn/encoder_config.h"
#include "nn/encoder_weights.h"

namespace cupel::nn {

/// The linear layers of a layer, in the order of the pass.
enum class EncoderSite { query_key_value, attention_out, up, down };

/// One pass at a time and its memory, which it keeps from batch to batch.
///
/// Each layer but for its keys and values treats a token by itself, so threads share the tokens out
/// and meet once a layer. The result does not depend on how many there are.
class EncoderForward {
 public:
  /// Both must outlive it.
  EncoderForward(const EncoderConfig& config, const EncoderWeights& weights);

  /// Called with rows [rows, cols] that a linear layer of layer `layer` is about to be given, in
  /// fp32. A pass that is watched runs on one thread.
  using Watcher =
      std::function<void(int64_t layer, EncoderSite site, const float* x, int64_t rows)>;
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }

  /// `texts`: ids of each text, none longer than max_position_embeddings, all within the
  /// vocabulary. `pool`: threads that share the pass; null: the calling one alone.
  void run(std::span<const std::vector<int32_t>* const> texts, ThreadPool* pool = nullptr);

  /// After run(): the last layer's output of text i's first token, hidden_size floats.
  const float* first_token(std::size_t text) const;
  /// After run(): the mean over text i's tokens, made a unit vector; a mean of zero stays zero.
  void mean(std::size_t text, float* vector) const;

 private:
  /// What a thread needs for its share of the tokens.
  struct Part {
    LinearScratch scratch;
    std::vector<float> wide;        // sums of a product that widens, some rows at a time
    std::vector<float> active;      // of a feed-forward layer
    LinearInput active_input;       // them, as `down` reads them
    std::vector<float> scores;      // [queries, length] of one head
    std::vector<std::byte> shares;  // their softmax
  };
  struct Rows {
    int64_t begin, end;
  };

  void share_out(ThreadPool* pool, const std::function<void(Part&, Rows)>& body);
  void embed(std::span<const std::vector<int32_t>* const> texts, Rows rows);
  void project(std::size_t layer, Part& part, Rows rows);
  void attend(std::size_t layer, Part& part, Rows rows);
  void attend_head(const std::byte* all, Rows queries, Rows text, int64_t head, Part& part);
  void feed_forward(std::size_t layer, Part& part, Rows rows);
  void normalise(const std::vector<float>& add, const EncoderNorm& norm, Rows rows);
  void tell(std::size_t layer, EncoderSite site, const float* x, int64_t rows) const;

  const EncoderConfig& config_;
  const EncoderWeights& weights_;
  Watcher watcher_;
  int64_t element_bytes_, strip_rows_;
  std::vector<int64_t> starts_;  // of each text, and the end of the last
  std::vector<float> x_;         // [tokens, hidden]: the stream
  LinearInput stream_;
  // Queries, keys and values of a layer, [tokens, 3 hidden] of the element type: while some threads
  // still read those of a layer, others write those of the next.
  std::array<std::vector<std::byte>, 2> projected_;
  std::vector<float> context_;  // [tokens, hidden]: what attention gathers
  LinearInput context_input_;
  std::vector<std::unique_ptr<Part>> parts_;
};

/// Calls run(batch, threads) for each batch: with few of them one after the other, the pool's
/// threads sharing each; else a thread a batch, and null.
void run_batches(std::size_t count, ThreadPool& pool,
                 const std::function<void(std::size_t batch, ThreadPool* threads)>& run);

/// Lends each thread a pass; their memory goes with this.
class EncoderPasses {
 public:
  EncoderPasses(const EncoderConfig& config, const EncoderWeights& weights)
      : config_(config), weights_(weights) {}

  using Pass = std::unique_ptr<EncoderForward>;
  Pass take();
  void give(Pass pass);

 private:
  const EncoderConfig& config_;
  const EncoderWeights& weights_;
  std::mutex mutex_;
  std::vector<Pass> idle_;
};

}  // namespace cupel::nn

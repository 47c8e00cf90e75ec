// The one decoder stack that all families share: embedding, blocks, final norm, head, and the
// layers of multi-token prediction behind them.
#pragma once

#include <memory>
#include <vector>

#include "base/run.h"
#include "nn/batch_nn.h"
#include "nn/llm/attention_nn.h"
#include "nn/llm/config.h"
#include "nn/llm/experts_nn.h"
#include "nn/llm/modules_nn.h"

namespace cupel::llm {

/// Between two blocks: the residual stream is x + delta; delta (the last branch, not yet added) may
/// be undefined.
struct Stream {
  at::Tensor x;      // [T, width] fp32
  at::Tensor delta;  // [T, width] in the pass's storage
};

/// Attention and feed-forward, each behind its norm.
class Block : public torch::nn::Module {
 public:
  Block(const ModelConfig& config, int64_t index);
  /// The streams before it and behind it: the sum is taken by whoever reads it next.
  Stream forward(const Stream& stream, const Pass& pass);
  /// The same, keeping only x + delta for the backward pass and computing the rest again there
  /// (Chen et al. 2016). The result has no delta.
  Stream forward_recomputed(const Stream& stream, const Pass& pass);
  /// The next tokens of one sequence, by the cache of those before.
  Stream extend(const Stream& stream, const Pass& pass, AttentionCache& cache);
  /// Null in a dense block.
  Experts* experts() const { return experts_.get(); }

 private:
  at::Tensor feed_forward(const at::Tensor& x, const Pass& pass);

  uint64_t index_;
  std::shared_ptr<RmsNorm> input_norm_, post_attention_norm_;
  std::shared_ptr<Attention> attention_;
  std::shared_ptr<Mlp> mlp_;
  std::shared_ptr<Experts> experts_;
};

/// Predicts one token further than what stands before it (DeepSeek-V3, section 2.2): a block over
/// eh_proj([enorm(embedding of the next token); hnorm(hidden)]), a norm, the shared head.
class MultiTokenLayer : public Block {
 public:
  MultiTokenLayer(const ModelConfig& config, int64_t index);
  /// next: embeddings of the tokens that follow, [T, width] fp32; hidden: normalised output of the
  /// main stack or of the layer before, in storage. Gives the normalised output.
  at::Tensor predict(const at::Tensor& next, const at::Tensor& hidden, const Pass& pass,
                     bool recompute);

 private:
  std::shared_ptr<RmsNorm> embedding_norm_, hidden_norm_, head_norm_;
  std::shared_ptr<Linear> projection_;
};

/// How a training pass differs from a plain one.
struct LossOptions {
  at::ScalarType storage = at::kFloat;
  double dropout = 0;
  uint64_t dropout_key = 0;
  double adapter_dropout = 0;
  bool count_load = false;     // experts count their tokens
  bool recompute = false;      // activations are computed again in the backward pass
  double mtp_loss_weight = 0;  // lambda, over the mean of all prediction depths
};

/// Keys and values of one sequence, a layer each.
struct DecoderCache {
  std::vector<AttentionCache> layers;
  int64_t length = 0;
};

/// A causal language model of any family in families.h. Parameters are named as transformers names
/// them, with the experts of a layer fused.
class Decoder : public torch::nn::Module {
 public:
  /// Weights are zero, norms one.
  explicit Decoder(const ModelConfig& config);
  /// Matrices from N(0, initializer_range²), a stream of randomness each.
  void initialise(const Run& run);

  const ModelConfig& config() const { return config_; }

  /// Sum of the next-token cross entropies of the batch's labels, a scalar. The gradient is that of
  /// this sum plus mtp_loss_weight times the mean loss of the prediction layers; the value is the
  /// sum alone, so it compares with a validation loss.
  at::Tensor loss(const nn::Batch& batch, const LossOptions& options);
  /// Embeddings [batch, length, width] of the batch's ids, which loss() takes in their place.
  at::Tensor embed(const nn::Batch& batch) const;
  /// Value of the multi-token prediction loss of the last loss(), summed over labels.
  double mtp_loss() const { return mtp_loss_; }

  /// Logits [batch, length, vocabulary] of whole sequences, in fp32 or the weights' own type.
  at::Tensor logits(const at::Tensor& ids);
  /// Logits [batch, length, vocabulary] of the first prediction layer; the last position of each
  /// row says nothing.
  at::Tensor mtp_logits(const at::Tensor& ids);

  /// Appends tokens [n] to a sequence and gives the logits [vocabulary] after the last one.
  at::Tensor extend(const at::Tensor& ids, DecoderCache& cache);

  /// The layers that route, main stack first.
  std::vector<Experts*> expert_layers() const;

 private:
  struct Inputs {
    at::Tensor ids, embeddings;
    Pass pass;
  };
  Inputs inputs_of(const nn::Batch& batch, const LossOptions& options);
  at::Tensor hidden(const Inputs& inputs, bool recompute);
  at::Tensor mtp_loss_of(const nn::Batch& batch, const Inputs& inputs, at::Tensor hidden,
                         bool recompute);
  nn::Weight head_in(at::ScalarType storage);
  nn::Positions positions_of(int64_t batch, int64_t length, const at::Tensor& positions);

  ModelConfig config_;
  at::Tensor embedding_, cosine_, sine_;  // tables [max positions so far, pairs]
  std::shared_ptr<Linear> head_;          // null where it is the embedding
  std::vector<std::shared_ptr<Block>> blocks_;
  std::vector<std::shared_ptr<MultiTokenLayer>> mtp_layers_;
  std::shared_ptr<RmsNorm> norm_;
  nn::WeightCopy embedding_copy_;
  double mtp_loss_ = 0;
};

/// The batch's tokens one place to the left inside each row and document: what multi-token
/// prediction reads (`ids`) and should say (`labels`, -100 where a document ends before it).
struct ShiftedBatch {
  at::Tensor ids, labels;
};
ShiftedBatch shifted(const at::Tensor& ids, const at::Tensor& labels, const at::Tensor& first);

}  // namespace cupel::llm

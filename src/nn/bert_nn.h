// A BERT encoder with a classification head on it, to be trained: transformers'
// BertForSequenceClassification.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/run.h"
#include "nn/batch_nn.h"
#include "nn/classified_rows.h"
#include "nn/classifier_config.h"
#include "nn/ops_nn.h"

namespace cupel::nn {

/// Rows of ids, padded to the longest with a token that nothing looks at: inputs and lengths.
Batch padded_batch(std::span<const std::vector<int32_t>* const> rows, int64_t padding);

/// The same of rows with a class, which the labels are; each weighs 1.
Batch labelled_batch(const std::vector<const ClassifiedRow*>& rows, int64_t padding);

/// How a pass is computed.
struct BertOptions {
  at::ScalarType storage = at::kFloat;  // what matrix products of the layers read and write
  double dropout = 0;  // of embeddings, the branches of each layer, and the pooled output
  uint64_t dropout_key = 0;
  bool recompute = false;  // layers are computed again in the backward pass
};

/// One pass over rows that are padded to one length; T = batch * length.
struct BertPass {
  int64_t batch = 0, length = 0;
  at::Tensor visible;  // [batch, 1, 1, length] bool: no padding; undefined: there is none
  BertOptions options;

  /// Drops elements of a branch's output; `site` tells the branches of a model apart.
  at::Tensor drop(const at::Tensor& branch, uint64_t site) const;
};

/// y = x · weightᵀ + bias, in x's type; the product reads a 16-bit copy where x is in 16 bit.
class BertLinear : public torch::nn::Module {
 public:
  using Filter = std::function<at::Tensor(const at::Tensor&)>;

  BertLinear(int64_t out, int64_t in);
  at::Tensor forward(const at::Tensor& x);
  at::Tensor read(const at::Tensor& x) const { return see_input ? see_input(x) : x; }
  Weight weight_in(at::ScalarType storage);
  at::Tensor add_bias(const at::Tensor& product) const;

  at::Tensor weight, bias;
  /// What products read in place of the weight and of x, differentiable by both; empty: themselves.
  Filter see_weight, see_input;

 private:
  WeightCopy copy_;
};

/// Layer normalisation (Ba et al. 2016).
class BertNorm : public torch::nn::Module {
 public:
  BertNorm(int64_t width, double norm_epsilon);
  /// [T, width] in x's type.
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight, bias;
  double epsilon;
};

/// Attention and feed-forward, a norm behind the sum with each (Vaswani et al. 2017).
class BertLayer : public torch::nn::Module {
 public:
  BertLayer(const EncoderConfig& config, int64_t index);
  /// x [T, width], fp32 or fp64, to the same.
  at::Tensor forward(const at::Tensor& x, const BertPass& pass);
  /// In the order of linear_names().
  std::vector<BertLinear*> linears() const;

 private:
  at::Tensor attend(const at::Tensor& x, const BertPass& pass);

  uint64_t index_;
  int64_t heads_;
  std::shared_ptr<BertLinear> query_, key_, value_, attention_out_, up_, down_;
  std::shared_ptr<BertNorm> attention_norm_, norm_;
};

class BertClassifier : public torch::nn::Module {
 public:
  /// Weights are zero, norms one. config.labels has a class at least.
  explicit BertClassifier(const ClassifierConfig& config);
  /// Matrices and embeddings from N(0, initializer_range²), a stream of randomness each.
  void initialise(const Run& run);

  const ClassifierConfig& config() const { return config_; }

  /// Scores [batch, classes] of the batch's rows, in fp32 or the weights' own type. `outputs`, if
  /// set, gets each layer's, [T, width].
  at::Tensor logits(const Batch& batch, const BertOptions& options,
                    std::vector<at::Tensor>* outputs = nullptr);
  /// Sum of the cross entropies of the batch's labels [batch], a scalar.
  at::Tensor loss(const Batch& batch, const BertOptions& options);
  /// Word embeddings [batch, length, width] of the batch's ids, which the passes above take in
  /// their place.
  at::Tensor embed(const Batch& batch) const;
  const std::vector<std::shared_ptr<BertLayer>>& layers() const { return layers_; }

 private:
  at::Tensor embedded(const Batch& batch, const BertPass& pass) const;

  ClassifierConfig config_;
  at::Tensor words_, positions_, types_;
  std::shared_ptr<BertNorm> embedding_norm_;
  std::vector<std::shared_ptr<BertLayer>> layers_;
  std::shared_ptr<BertLinear> pooler_, head_;
};

}  // namespace cupel::nn

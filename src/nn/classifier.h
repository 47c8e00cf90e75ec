// A trained text classifier on the CPU: without LibTorch, without padding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "nn/classifier_config.h"
#include "nn/encoder_forward.h"
#include "nn/encoder_precision.h"

namespace cupel::nn {

/// transformers' BertForSequenceClassification: encoder, pooler of the first token, one linear
/// layer. Threads may share one.
///
/// A text's scores depend on the text, the number format and the kernel row alone: not on its
/// neighbours, the order or the number of threads.
class Classifier {
 public:
  /// A folder as train or compress leaves it, or as transformers saves it. `precision`: w4a8 by
  /// default where the weights are stored so, else fp32. Throws Error{config} for a missing file,
  /// Error{data} for one that does not fit the others or is no classifier.
  static Classifier load(const std::filesystem::path& folder,
                         std::optional<EncoderPrecision> precision = {});

  /// Scores [texts, classes] of token ids; each text has 1 to max_position_embeddings. The threads
  /// of `pool` share a text's tokens out if there are few texts, else the texts.
  std::vector<float> logits(std::span<const std::vector<int32_t>* const> texts,
                            ThreadPool& pool) const;

  const ClassifierConfig& config() const { return parts_->config; }
  const EncoderPrecisionReport& precision() const { return parts_->precision; }
  const EncoderWeights& weights() const { return parts_->weights; }

 private:
  struct Parts {
    ClassifierConfig config;
    EncoderPrecisionReport precision;
    EncoderWeights weights;
    PackedLinear pooler, head;  // in fp32
    EncoderPasses passes{config.encoder, weights};
  };
  explicit Classifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
  void decide(const float* first_token, float* scores) const;

  std::unique_ptr<Parts> parts_;
};

}  // namespace cupel::nn

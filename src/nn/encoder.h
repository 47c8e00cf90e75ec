// Sentence vectors of a BERT model on the CPU: without LibTorch, without padding.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "data/blackbox.h"
#include "data/tokenizer/wordpiece.h"
#include "nn/encoder_config.h"
#include "nn/encoder_precision.h"
#include "nn/encoder_weights.h"

namespace cupel::nn {

/// A BERT encoder (Devlin et al. 2019; MiniLM, Wang et al. 2020) with the mean over tokens and unit
/// length on top (Sentence-BERT, Reimers and Gurevych 2019). Immutable: threads may share one.
///
/// Texts are computed in batches by length, their tokens below each other, so none is padded. A
/// text's vector depends on the text and the kernel row alone: not on its neighbours, the order or
/// the number of threads.
class Encoder {
 public:
  /// `folder`: a Hugging Face folder with config.json, model.safetensors and tokenizer.json or
  /// vocab.txt. Throws Error{config} for a missing file, Error{data} for one that does not fit the
  /// others or is no BERT.
  static Encoder load(const std::filesystem::path& folder,
                      EncoderPrecision precision = EncoderPrecision::mixed);

  /// Vectors of unit length, [texts, width] row-major. A text's tokens past max_seq_length are left
  /// out; an empty text has a vector too. Throws Error{data} for malformed UTF-8.
  std::vector<float> encode(std::span<const std::string_view> texts, ThreadPool& pool) const;

  int64_t width() const { return config_.hidden_size; }
  const EncoderConfig& config() const { return config_; }
  /// What was asked for, what the products read, and why.
  const EncoderPrecisionReport& precision() const { return precision_; }

 private:
  Encoder(EncoderConfig config, EncoderPrecisionReport precision, WordPiece tokenizer,
          EncoderWeights weights);

  EncoderConfig config_;
  EncoderPrecisionReport precision_;
  WordPiece tokenizer_;
  EncoderWeights weights_;
};

/// all-MiniLM-L6-v2 where scripts/setup --models puts it: models/all-MiniLM-L6-v2 below CUPEL_HOME,
/// which is ~/.cache/cupel by default. Throws Error{config} if it is not there.
std::filesystem::path default_encoder_folder();

/// The encoder behind its seam; `pool` must outlive it.
Embedder make_embedder(Encoder encoder, ThreadPool& pool);

}  // namespace cupel::nn

// The weights of a sentence encoder, laid out and rounded as its products read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/safetensors.h"
#include "kernels/kernels.h"
#include "nn/encoder_config.h"

namespace cupel::nn {

/// y = x · weightᵀ + bias
struct EncoderLinear {
  int64_t out = 0, in = 0;
  std::vector<std::byte> weight;  // [out, in] of the encoder's element type
  std::vector<float> bias;        // [out]
};

struct EncoderNorm {
  std::vector<float> weight, bias;
};

struct EncoderLayer {
  EncoderLinear query_key_value;  // the three below each other
  EncoderLinear attention_out, up, down;
  EncoderNorm after_attention, after_feed_forward;
};

struct EncoderWeights {
  std::vector<float> words, positions;  // [vocab_size, hidden], [max_position_embeddings, hidden]
  std::vector<float> first_type;        // [hidden]: a text alone has token type 0
  EncoderNorm embedding;
  std::vector<EncoderLayer> layers;
};

/// Tensors under the names of transformers' BertModel, "bert." before them or not, as F32, F16 or
/// BF16; a pooler and heads are ignored. `where` is the culprit of errors. Throws Error{data} that
/// names a tensor which is missing, has another shape or another type.
EncoderWeights take_encoder_weights(const Safetensors& file, const EncoderConfig& config,
                                    Element element, const std::string& where);

}  // namespace cupel::nn

// The weights of a sentence encoder, laid out and rounded as its products read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/safetensors.h"
#include "kernels/kernels.h"
#include "nn/encoder_config.h"

namespace cupel::nn {

/// Weights of a product of 8-bit integers, as kernels().gemm_int8 reads them.
struct EncoderInt8 {
  struct alignas(64) Line {
    int8_t bytes[64];
  };
  std::vector<Line> panels;
  std::vector<int32_t> sums;
  std::vector<float> scales;  // an output each
  Int8Matrix matrix() const {
    return {reinterpret_cast<const int8_t*>(panels.data()), sums.data(), scales.data()};
  }
};

/// y = x · weightᵀ + bias
struct EncoderLinear {
  int64_t out = 0, in = 0;
  std::vector<std::byte> weight;  // [out, in] of the encoder's element type; empty under int8
  EncoderInt8 int8;               // empty otherwise
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
  bool int8 = false;                    // the linear layers
  std::vector<float> words, positions;  // [vocab_size, hidden], [max_position_embeddings, hidden]
  std::vector<float> first_type;        // [hidden]: a text alone has token type 0
  EncoderNorm embedding;
  std::vector<EncoderLayer> layers;
};

/// Tensors under the names of transformers' BertModel, "bert." before them or not, as F32, F16 or
/// BF16; a pooler and heads are ignored. Linear layers become `element`, or 8-bit integers if
/// `int8`. `where` is the culprit of errors. Throws Error{data} that names a tensor which is
/// missing, has another shape or another type.
EncoderWeights take_encoder_weights(const Safetensors& file, const EncoderConfig& config,
                                    Element element, bool int8, const std::string& where);

}  // namespace cupel::nn

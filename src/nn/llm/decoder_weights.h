// The weights of a decoder, laid out and rounded as its products read them; without LibTorch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "nn/llm/config.h"
#include "nn/llm/tensor_source.h"
#include "nn/packed_linear.h"

namespace cupel::llm {

/// How numbers are stored and multiplied. `layers.element` is that of the embedding, of keys and
/// values, and of the products between activations too.
struct DecoderFormat {
  nn::NumberFormat layers, head;
};

/// y = x · weightᵀ + bias, cut along its outputs, so that threads can share them out where tokens
/// are few.
struct SplitLinear {
  struct Piece {
    std::string name;  // of its tensors, before ".weight" and ".bias"
    int64_t out = 0;
  };
  std::vector<Piece> pieces;  // that stand below each other
  int64_t out = 0, in = 0, part_outputs = 0;
  std::vector<nn::PackedLinear> parts;  // part_outputs outputs each, the last one fewer
  std::vector<float> bias;              // [out]; empty: none
};

/// down(silu(gate(x)) * up(x))
struct GatedLayer {
  SplitLinear gate_up, down;  // gate_up [2 * inner, width]
};

struct RoutedLayer {
  SplitLinear router;          // [experts, width], fp32
  std::vector<float> balance;  // [experts], added where experts are chosen; empty with softmax
  std::vector<GatedLayer> experts;
  std::optional<GatedLayer> shared;
};

/// Multi-head latent attention (DeepSeek-V2, section 2.1).
struct LatentProjections {
  std::optional<SplitLinear> query_down;
  std::vector<float> query_norm;  // of the query's latent
  SplitLinear query;              // of that, or of the layer's input
  SplitLinear latent;             // [rank + rotary, width]
  std::vector<float> latent_norm;
  std::vector<std::byte> expand;  // kv_b_proj [heads * (nope + value), rank] of the element type
};

struct DecoderLayer {
  std::vector<float> input_norm, post_attention_norm;
  std::optional<LatentProjections> latent;  // in the place of the next three
  SplitLinear query_key_value;              // the three below each other
  std::vector<float> query_norm, key_norm;  // of a head; empty in families without
  SplitLinear attention_out;
  std::optional<RoutedLayer> routed;  // in the place of the next
  GatedLayer dense;
};

/// Its linear layers but the router, those of experts too.
std::vector<const SplitLinear*> linears_of(const DecoderLayer& layer);

/// A layer that guesses the token after the next (DeepSeek-V3, section 2.2): a decoder layer on
/// merge([embedding_norm(the next token's embedding); hidden_norm(what the head was given)]).
struct PredictionLayer {
  std::vector<float> embedding_norm, hidden_norm;
  SplitLinear merge;  // [width, 2 * width]
  DecoderLayer layer;
  std::vector<float> norm;  // before the head
};

struct DecoderWeights {
  DecoderFormat format;
  std::vector<std::byte> embedding;  // [vocab_size, width] of the element type
  SplitLinear head;
  std::vector<float> norm;
  std::vector<DecoderLayer> layers;
  std::optional<PredictionLayer> prediction;  // the first of num_nextn_predict_layers
};

/// Takes the tensors under transformers' names; of several prediction layers the first. Under cb4
/// codes that the files have are taken as they are. `where` is the culprit of errors. Throws what
/// require_shapes() throws, and Error{data} for rows that are not made of whole groups of 4-bit
/// codes.
DecoderWeights take_decoder_weights(const TensorSource& source, const ModelConfig& config,
                                    const DecoderFormat& format, ThreadPool& pool,
                                    const std::string& where);

}  // namespace cupel::llm

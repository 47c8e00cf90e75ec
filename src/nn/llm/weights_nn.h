// A decoder's weights ↔ safetensors under the names of published checkpoints, checked both ways.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// Fills every parameter and the routers' biases from the *.safetensors of a folder (one file, or
/// shards with an index). fp32, fp16, bf16 and fp64 are taken. Throws Error{data} listing what is
/// missing, unexpected or of another shape; nothing is filled then. Ignored: rotary tables, and the
/// copies of embedding and head that some checkpoints repeat in a prediction layer.
void load_weights(const std::filesystem::path& folder, Decoder& decoder);

/// The tokens that begin and end a text; without the latter generate() of transformers never stops.
struct TextTokens {
  std::optional<int32_t> bos, eos;
};

/// Writes model.safetensors (fp32, as transformers names and reads it) and config.json into
/// `folder`, which exists.
void save_model(const std::filesystem::path& folder, const Decoder& decoder,
                const TextTokens& tokens);

}  // namespace cupel::llm

// Filling a decoder from the files that models are published in.
#pragma once

#include <filesystem>

#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// Fills every parameter and the routers' biases from the *.safetensors of a folder (one file, or
/// shards with an index). fp32, fp16, bf16 and fp64 are taken. Throws Error{data} listing what is
/// missing, unexpected or of another shape; nothing is filled then. Ignored: rotary tables, and the
/// copies of embedding and head that some checkpoints repeat in a prediction layer.
void load_weights(const std::filesystem::path& folder, Decoder& decoder);

}  // namespace cupel::llm

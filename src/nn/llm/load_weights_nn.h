// Filling a decoder from the files that models are published in.
#pragma once

#include <filesystem>

#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// Fills every parameter and the routers' biases from `model`: a folder of safetensors (one file,
/// or shards with an index), or a .gguf file, or an adapter of one of them, which is merged;
/// formats as tensor_source.h and gguf_types.h read them. Throws Error{data} listing what is
/// missing, unexpected or of another shape; nothing is filled then. Ignored: rotary tables, and the
/// copies of embedding and head that some checkpoints repeat in a prediction layer or beside tied
/// embeddings.
void load_weights(const std::filesystem::path& model, Decoder& decoder);

}  // namespace cupel::llm

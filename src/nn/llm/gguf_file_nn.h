// A decoder's weights as a GGUF file.
#pragma once

#include <filesystem>

#include "nn/llm/decoder_nn.h"
#include "nn/llm/gguf_target.h"
#include "nn/llm/tensor_source.h"

namespace cupel::llm {

/// The decoder's tensors under the names of published checkpoints. They are views: the decoder must
/// outlive them.
TensorSource source_of(const Decoder& decoder);

/// Replaces `path` by a file of `head` and the decoder's tensors.
void save_gguf(const std::filesystem::path& path, const Decoder& decoder, const GgufHead& head);

}  // namespace cupel::llm

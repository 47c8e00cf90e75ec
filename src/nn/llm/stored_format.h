// How a language model's files want to be computed.
#pragma once

#include <filesystem>

#include "nn/llm/decoder_weights.h"

namespace cupel::llm {

/// fp32; of a .gguf file whose linear layers all are in IQ4_NL, 4-bit codes with 8-bit activations,
/// the head in 8 bits.
DecoderFormat stored_format(const std::filesystem::path& model);
/// The same whatever the files hold.
DecoderFormat w4a8_format(int64_t group);

}  // namespace cupel::llm

// `compress` of a language model: its linear layers in 4-bit codes, as a GGUF file.
#pragma once

#include <filesystem>

#include "base/run.h"
#include "compress/compress.h"

namespace cupel::compress {

/// A .gguf file, or a folder whose config.json names a family of language models.
bool is_language_model(const std::filesystem::path& model);

/// Writes model.gguf: codes (IQ4_NL), embedding, head and what latent attention absorbs in 8 bits
/// (Q8_0), norms and routers in fp32, tokenizer and chat template. Measured beside the model given:
/// the codes with exact activations, and with activations in 8 bits. Throws Error{config} for
/// settings that language models do not have and for a model that a GGUF has no place for.
Report compress_language_model(const Config& config, Run& run);

}  // namespace cupel::compress

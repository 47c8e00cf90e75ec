// A language model from its files, computed on the kernels.
#pragma once

#include <filesystem>
#include <memory>

#include "base/parallel.h"
#include "data/blackbox.h"
#include "nn/llm/decoder_weights.h"
#include "nn/llm/generate.h"

namespace cupel::llm {

/// `weights` as a model over tokens, with the threads of `pool`, which must outlive it. A sequence
/// lives as long as what begin() gives; it guesses tokens ahead if `speculates` and the model has a
/// prediction layer, which changes no logit.
TokenModel token_model(const ModelConfig& config, DecoderWeights weights, ThreadPool& pool,
                       bool speculates = true);

/// Reads a folder in Hugging Face form (config.json, *.safetensors, tokenizer.json) or a .gguf
/// file; no adapter. Throws Error{config} for a file that is missing or an architecture that is
/// unknown, Error{data} for files that are damaged or do not fit each other.
LanguageModel load_language_model(const std::filesystem::path& model, const DecoderFormat& format,
                                  ThreadPool& pool);

}  // namespace cupel::llm

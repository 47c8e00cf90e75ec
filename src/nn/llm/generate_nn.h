// A decoder of LibTorch as a model over tokens, and one with its adapters read from files.
#pragma once

#include <filesystem>
#include <memory>

#include "nn/llm/decoder_nn.h"
#include "nn/llm/generate.h"

namespace cupel::llm {

TokenModel token_model(std::shared_ptr<Decoder> decoder);

/// Reads an adapter's folder: its base model's files, the adapter merged. Throws what
/// load_language_model() and load_weights() throw.
LanguageModel load_adapted_model(const std::filesystem::path& adapter);

}  // namespace cupel::llm

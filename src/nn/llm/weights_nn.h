// A decoder's weights as a folder that transformers loads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "data/safetensors.h"
#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// The tokens that begin and end a text; without the latter generate() of transformers never stops.
struct TextTokens {
  std::optional<int32_t> bos, eos;
};

/// Writes model.safetensors (as transformers names and reads it) and config.json into `folder`,
/// which exists. `type`: f32, f16 or bf16; a router's bias stays fp32, as published ones are.
void save_model(const std::filesystem::path& folder, const Decoder& decoder,
                const TextTokens& tokens, Dtype type = Dtype::f32);

}  // namespace cupel::llm

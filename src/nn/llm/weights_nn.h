// A decoder's weights as a folder that transformers loads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// The tokens that begin and end a text; without the latter generate() of transformers never stops.
struct TextTokens {
  std::optional<int32_t> bos, eos;
};

/// Writes model.safetensors (fp32, as transformers names and reads it) and config.json into
/// `folder`, which exists.
void save_model(const std::filesystem::path& folder, const Decoder& decoder,
                const TextTokens& tokens);

}  // namespace cupel::llm

// What a training leaves behind: the folder of a model, or of an adapter.
#pragma once

#include <filesystem>
#include <optional>

#include "data/chat_template.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/llm/decoder_nn.h"
#include "train/train.h"

namespace cupel::train {

/// Writes the model, or its adapters alone where those were trained, with tokenizer and chat
/// template, if there is one, into `folder`, which exists.
void save_trained(const std::filesystem::path& folder, const Config& config,
                  const llm::Decoder& decoder, const Tokenizer& tokenizer,
                  const std::optional<ChatTemplate>& chat_template);

}  // namespace cupel::train

// Which tokens end an answer besides the tokenizer's own: what a model's files say of generation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace cupel::llm {

/// eos_token_id (a number or a list) of a folder's generation_config.json, if it is there; the end
/// of a turn and of a message of a .gguf file; of an adapter without that file what its base model
/// says. Throws Error{data} for what is no id of the
/// vocabulary.
std::vector<int32_t> ending_tokens(const std::filesystem::path& model, int64_t vocab_size);

}  // namespace cupel::llm

// What a model's folder or file says beside shape, weights and vocabulary, for its GGUF file.
#pragma once

#include <cstdint>
#include <filesystem>

#include "data/tokenizer/gguf_tokenizer_write.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel::llm {

/// Chat template and the tokens that end an answer. `vocab_size`: the model's.
GgufBeside gguf_beside(const std::filesystem::path& model, const Tokenizer& tokenizer,
                       int64_t vocab_size);

}  // namespace cupel::llm

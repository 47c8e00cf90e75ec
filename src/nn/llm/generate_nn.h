// A decoder with its tokenizer as a language model: prefill, decode, sampling, likelihoods.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "data/blackbox.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/llm/decoder_nn.h"

namespace cupel::llm {

/// Draws from softmax(logits / temperature); temperature 0 takes the largest (the first of equals).
int32_t sample_token(const at::Tensor& logits, double temperature, Rng& rng);

/// Text that goes on from `prompt` by at most options.max_new_tokens tokens, fewer where the
/// model's max_position_embeddings ends. It ends at the tokenizer's end-of-text token and at those
/// of `endings`. An empty prompt begins with the end-of-text token. Throws
/// Error{data} if the prompt leaves no room for one token.
std::string generate(Decoder& decoder, const Tokenizer& tokenizer, std::string_view prompt,
                     const GenerateOptions& options,
                     const std::function<bool(std::string_view)>& on_text = {},
                     const std::vector<int32_t>& endings = {});

/// ln p(target | context). Windows of max_position_embeddings tokens, each beginning half a window
/// after the one before, so every token but the first has at least half a window in front of it.
Likelihood likelihood(Decoder& decoder, const Tokenizer& tokenizer, std::string_view context,
                      std::string_view target);

/// Both, over a model that lives as long as the functions.
LanguageModel language_model(std::shared_ptr<Decoder> decoder,
                             std::shared_ptr<const Tokenizer> tokenizer,
                             std::vector<int32_t> endings = {});

/// Reads a folder in Hugging Face form (config.json, *.safetensors, tokenizer.json) or a .gguf
/// file. Throws Error{config} for a file that is missing or an architecture that is unknown,
/// Error{data} for files that are damaged or do not fit each other.
LanguageModel load_language_model(const std::filesystem::path& model);

}  // namespace cupel::llm

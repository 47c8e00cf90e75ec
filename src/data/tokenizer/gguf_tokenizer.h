// The tokenizer inside a GGUF file, as the files that Hugging Face keeps of it.
#pragma once

#include <filesystem>
#include <string>

#include "data/gguf.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel {

/// The texts of a tokenizer.json and of a tokenizer_config.json (first and last token of a text,
/// chat template).
struct TokenizerTexts {
  std::string tokenizer, config;
};

/// tokenizer.ggml.model: gpt2, byte-level BPE whose words are cut as tokenizer.ggml.pre names it;
/// or llama, SentencePiece BPE with byte fallback, in the form of transformers' conversion. A token
/// of kind "unused" gets no entry. A file without `pre` gets GPT-2's words, as llama.cpp's
/// "default" nearly does. Throws Error{data}, naming the known ones, for any other model or
/// pre-tokenizer, and for token ids, kinds or scores that contradict each other.
TokenizerTexts tokenizer_texts(const Gguf& file);

/// The file that a model's tokenizer is in: tokenizer.json of its folder, or the .gguf file itself;
/// of an adapter's folder without one that of its base model. It need not exist.
std::filesystem::path tokenizer_file(const std::filesystem::path& model);

/// The tokenizer of a folder (see above), of a tokenizer.json or of a GGUF file.
Tokenizer load_tokenizer(const std::filesystem::path& path);

}  // namespace cupel

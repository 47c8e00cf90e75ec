// A tokenizer as the metadata of a GGUF file: the way back of gguf_tokenizer.h.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/gguf_write.h"
#include "data/tokenizer/tokenizer.h"

namespace cupel {

/// What a file's tokenizer has beside the tokenizer.json.
struct GgufBeside {
  std::string where;               // for errors: the model
  int64_t vocab_size = 0;          // rows of the embedding; what no token has becomes [PAD<id>]
  std::string chat_template{};     // empty: none
  std::vector<int32_t> endings{};  // tokens that end an answer
};

/// Adds tokenizer.*: byte-level BPE as model gpt2, with the name of the known pre-tokenizer that
/// cuts the same words (gguf_pre.h); BPE with byte fallback as model llama, whose scores stand for
/// the order of the merges. Returns what a GGUF has no place for, a sentence each. Throws
/// Error{data} for any other tokenizer, one whose words no known name cuts, and one that is cut or
/// merged otherwise than llama.cpp would.
std::vector<std::string> add_gguf_tokenizer(const Tokenizer& tokenizer, const GgufBeside& beside,
                                            GgufMetadata& metadata);

/// The text of a model's chat template: `jinja` if there is one, else chat_template of `config`
/// (the text of a tokenizer_config.json), of several named ones "default"; empty if there is none.
std::string chat_template_text(std::string_view config, std::string_view jinja);

}  // namespace cupel

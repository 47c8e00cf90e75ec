// The pre-tokenizers that a GGUF file can name, and the kinds of its tokens: one table for both
// ways.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "data/tokenizer/pretokenize.h"

namespace cupel {

/// Numbers of tokenizer.ggml.token_type, as the format has them.
struct GgufToken {
  enum Kind : int32_t { normal = 1, unknown, control, user_defined, unused, byte };
};

/// How a name of tokenizer.ggml.pre cuts words, as the tokenizer.json of the models it stands for.
struct GgufPre {
  std::array<std::string_view, 5> names;     // the first is llama.cpp's for the family
  std::array<std::string_view, 6> patterns;  // one Split each, in order
  bool gpt2_words = false;                   // then GPT-2's words
  bool composed = false;                     // text is brought to NFC first
  bool whole_words = false;                  // a word that is a token needs no merges
  bool begins = false;                       // a text begins with bos unless the file says not
};

/// A key of our own, which llama.cpp does not read, of files whose text is brought to NFC where the
/// pre-tokenizer's models do not, or the other way round: a bool.
inline constexpr std::string_view kGgufComposed = "cupel.tokenizer.nfc";

/// The row with this name, or null pointer.
const GgufPre* find_gguf_pre(std::string_view name);
/// "gpt-2, default, …"
std::string known_gguf_pres();

/// The pre_tokenizer of a tokenizer.json.
json::Value pre_tokenizer_json(const GgufPre& row);
json::Value byte_level_json(bool words);

/// The row that cuts as `words` does, or null pointer, however the patterns are spelled: found by
/// cutting texts with every character of the first plane, samples of ideographs and of the next
/// three planes.
const GgufPre* gguf_pre_of(const PreTokenizer& words);

}  // namespace cupel

// The smallest tokenizer.json there is, for tests that change one member of it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/tokenizer/bpe.h"

namespace cupel {

/// A model of the 256 bytes (id = byte) and a token for each of `merges`, from id 256 on; both
/// sides are bytes, not alphabet.
inline json::Value bpe_json(const std::vector<std::pair<std::string, std::string>>& merges = {}) {
  json::Object vocabulary;
  json::Array pairs;
  int64_t next = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    vocabulary.emplace_back(bytes_to_alphabet({&text, 1}), next++);
  }
  for (const auto& [left, right] : merges) {
    vocabulary.emplace_back(bytes_to_alphabet(left + right), next++);
    pairs.push_back(json::Array{bytes_to_alphabet(left), bytes_to_alphabet(right)});
  }
  return json::Object{{"type", "BPE"}, {"vocab", vocabulary}, {"merges", pairs}};
}

inline json::Value added_token_json(int id, const std::string& content) {
  return json::Object{{"id", id}, {"content", content}, {"special", true}};
}

/// `<s>` has id 258; the words are those of GPT-2.
inline json::Value tokenizer_json() {
  return json::Object{
      {"model", bpe_json({{"a", "b"}, {"ab", "c"}})},
      {"pre_tokenizer", json::Object{{"type", "ByteLevel"}, {"add_prefix_space", false}}},
      {"decoder", json::Object{{"type", "ByteLevel"}}},
      {"added_tokens", json::Array{added_token_json(258, "<s>")}}};
}

}  // namespace cupel

// Tokens that are found in the text as they stand, before anything else looks at it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace cupel {

/// As a tokenizer.json has it. `normalized` tokens are sought in normalised text, the others in the
/// text as given.
struct AddedToken {
  int32_t id = 0;
  std::string content;
  bool special = false;      // left out when decoding without special tokens
  bool single_word = false;  // only between characters that are no word characters
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and after it
  bool normalized = false;
};

/// An entry of a tokenizer.json's "added_tokens". Throws Error{data} for an empty token or an id
/// that is not below kMaxTokenIds.
AddedToken parse_added_token(const json::Value& value, const std::string& where);

/// Finds the leftmost, longest of a set of tokens: a trie, so that hostile sets cost no more than
/// the longest token for each byte.
class AddedTokenFinder {
 public:
  void add(const AddedToken& token);
  /// Cuts `text` (valid UTF-8) into stretches without a token and tokens, in order.
  void cut(std::string_view text, const std::function<void(std::string_view)>& stretch,
           const std::function<void(int32_t)>& token) const;

 private:
  struct Node {
    int token = -1;
    std::vector<std::pair<char, int>> children;  // by byte, ascending
  };
  int child(int node, char byte) const;

  std::vector<Node> nodes_{1};
  std::vector<AddedToken> tokens_;
};

}  // namespace cupel

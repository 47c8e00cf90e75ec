// Cutting text into the words that byte-pair merges never cross, as a tokenizer.json says.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/tokenizer/regex.h"

namespace cupel {

/// GPT-2's pattern, which ByteLevel uses unless told otherwise.
extern const std::string_view kGpt2Pattern;

/// Split (Isolated or Removed), Digits, ByteLevel, and Sequences of them that end with ByteLevel.
/// Left out: other behaviors of Split and other pre-tokenizers, which are errors that name them.
class PreTokenizer {
 public:
  static PreTokenizer parse(const json::Value& value, const std::string& where);

  /// Calls `word` with each non-empty word of `text` (valid UTF-8), in order. Views live during the
  /// call.
  void for_each_word(std::string_view text,
                     const std::function<void(std::string_view)>& word) const;

 private:
  struct Step {
    Regex regex;
    bool remove = false;  // drop the matches, rather than make words of them
    bool invert = false;  // drop what lies between the matches instead
  };
  void add(const json::Value& value, const std::string& where);
  void add_split(const json::Value& value, const std::string& where);

  std::vector<Step> steps_;
  bool byte_level_ = false;
  bool prefix_space_ = false;  // each piece that ByteLevel gets begins with a space
  std::size_t prefix_at_ = 0;  // number of steps before that
};

}  // namespace cupel

// Cutting text into the words that no token of the model crosses, as a tokenizer.json says.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/tokenizer/regex.h"

namespace cupel {

/// BertPreTokenizer, ByteLevel, Digits, Metaspace, Punctuation, Split, Whitespace, WhitespaceSplit
/// and Sequences of them; null is none: a text is one word. Any other is an Error{data} that names
/// it.
class PreTokenizer {
 public:
  static PreTokenizer parse(const json::Value& value, const std::string& where);

  /// Whether the model's vocabulary is spelled in the alphabet of bytes.
  bool byte_level() const { return byte_level_; }

  /// Whether a word always begins at a letter that follows a line break, wherever the text before
  /// it begins: so with the well-known patterns (data/tokenizer/scan.h), no line break but the
  /// last of a word's end being followed by a letter in any of them.
  bool keeps_lines_apart() const { return lines_apart_; }

  /// Calls `word` with each non-empty word of `text` (valid UTF-8), in order. Views live during the
  /// call. `at_start`: no other text stands before this one.
  void for_each_word(std::string_view text, bool at_start,
                     const std::function<void(std::string_view)>& word) const;

 private:
  /// What becomes of a match of a Split.
  enum class Behavior { isolated, removed, merged_with_previous, merged_with_next, contiguous };
  using Piece = std::function<void(std::string_view, bool is_match)>;
  using Word = std::function<void(std::string_view)>;
  struct Step {
    /// Another text in place of the piece; empty: the piece itself.
    std::function<std::string(std::string_view, bool at_start)> change{};
    /// Calls its second argument with matches and with what lies between them.
    std::function<void(std::string_view, const Piece&)> cut{};
    Behavior behavior = Behavior::isolated;
    bool invert = false;
  };
  void add(const json::Value& value, const std::string& where);
  void add_split(const json::Value& value, const std::string& where);
  void add_byte_level(const json::Value& value, const std::string& where);
  void add_metaspace(const json::Value& value, const std::string& where);
  void add_characters(bool (*matches)(int32_t), Behavior behavior);
  static Behavior parse_behavior(const json::Value& value, const std::string& where);
  static void cut(const Step& step, std::string_view text, const Word& word);
  void run(std::string_view piece, bool at_start, std::size_t step, const Word& word) const;

  std::vector<Step> steps_;
  bool byte_level_ = false;
  bool lines_apart_ = true;
};

}  // namespace cupel

// Words into the longest pieces of a vocabulary.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

/// The "model" of a tokenizer.json of type WordPiece (Wu et al. 2016, as in BERT: greedy, longest
/// piece first).
class WordPieceModel {
 public:
  static WordPieceModel parse(const json::Value& model, const std::string& where);
  /// With BERT's settings. Throws Error{data} if the vocabulary lacks `unknown`.
  WordPieceModel(Vocabulary vocabulary, std::string_view unknown, const std::string& where);

  /// Appends the ids of one word: of its pieces, or the unknown token.
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const;

  /// By id; an id that no token has is an empty string.
  const std::vector<std::string>& tokens() const { return tokens_; }
  const TokenIds& ids() const { return first_; }

 private:
  void set_prefix(const std::string& prefix);

  std::vector<std::string> tokens_;
  TokenIds first_, inner_;   // pieces that begin a word, and those that go on (without prefix)
  std::size_t longest_ = 0;  // piece, in bytes
  int32_t unknown_ = 0;
  int64_t max_word_chars_ = 100;
};

}  // namespace cupel

// Tokens back to text, as the decoder of a tokenizer.json says.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cupel {

/// ByteFallback, ByteLevel, Fuse, Metaspace, Replace, Strip, WordPiece and Sequences of them; null
/// joins tokens by spaces. Any other is an Error{data} that names it.
///
/// Steps before the first that looks at several tokens concern a token alone, so their result is
/// kept for each token of a vocabulary: piece() makes it, decode() joins such pieces.
class Decoder {
 public:
  static Decoder parse(const json::Value& value, const std::string& where);

  /// What a token is to the steps that concern it alone. `first`: it begins a text.
  std::string piece(std::string_view token, bool first) const;
  /// Whether some pieces are byte tokens; bytes() gives what a piece adds to a text.
  bool byte_fallback() const { return byte_fallback_; }
  std::string bytes(std::string_view piece) const;

  /// Pieces of several tokens, one after the other: text, and where each ends.
  struct Pieces {
    std::string text;
    std::vector<std::size_t> ends;
  };
  /// The text of what the pieces of a sequence of tokens give: valid UTF-8.
  std::string decode(Pieces pieces) const;

 private:
  using Alone = std::function<std::string(std::string_view token, bool first)>;
  using Together = std::function<void(Pieces&)>;
  void add(const json::Value& value, const std::string& where);
  void add_alone(Alone step);

  std::vector<Alone> alone_;
  std::vector<Together> together_;
  bool byte_fallback_ = false;
};

}  // namespace cupel

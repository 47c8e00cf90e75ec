// The tokens of a model and their ids, both ways.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"

namespace cupel {

/// Ids are below this; it bounds the memory that a file can ask for.
inline constexpr int64_t kMaxTokenIds = int64_t{1} << 20;

/// Steps of a normalizer, pre-tokenizer or decoder; each costs time for every text.
inline constexpr std::size_t kMaxSteps = 64;

/// Lets a map of strings be searched by a view of text.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
using TokenIds = std::unordered_map<std::string, int32_t, TextHash, std::equal_to<>>;

struct Vocabulary {
  std::vector<std::string> tokens;  // by id; an id that no token has is an empty string
  TokenIds ids;

  /// The "vocab" of a tokenizer.json's model: {token: id}. Throws Error{data} for an empty token,
  /// an id that is not below kMaxTokenIds, or one that two tokens have.
  static Vocabulary parse(const json::Value& value, const std::string& where);
};

}  // namespace cupel

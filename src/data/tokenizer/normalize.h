// Unicode normalisation as a tokenizer.json names it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cupel {

/// NFC, NFD, NFKC, NFKD and Sequences of them; null is none. Left out: every other normalizer,
/// which is an error that names it.
class Normalizer {
 public:
  Normalizer() = default;
  static Normalizer parse(const json::Value& value, const std::string& where);

  /// `text` is valid UTF-8. Throws Error{resource} if memory runs out.
  std::string apply(std::string_view text) const;
  /// Whether apply() surely returns `text` itself: no step, or ASCII alone, which all forms keep.
  bool keeps(std::string_view text) const;

 private:
  void add(const json::Value& value, const std::string& where);

  std::vector<unsigned> steps_;  // options of utf8proc
};

}  // namespace cupel

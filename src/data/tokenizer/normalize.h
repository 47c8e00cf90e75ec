// What a tokenizer.json does to a text before it is cut into words.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cupel {

/// BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace, Strip, StripAccents and
/// Sequences of them; null is none. Any other is an Error{data} that names it.
class Normalizer {
 public:
  static Normalizer parse(const json::Value& value, const std::string& where);

  /// `text` is valid UTF-8. Throws Error{resource} if memory runs out.
  std::string apply(std::string_view text) const;
  /// Whether apply() surely returns `text` itself.
  bool keeps(std::string_view text) const;
  /// Whether a line that begins with a letter becomes the same with and without the lines before
  /// it: surely so under NFC and without any step.
  bool keeps_lines_apart() const { return lines_apart_; }

 private:
  struct Step {
    std::function<std::string(std::string_view)> apply;
    std::function<bool(std::string_view)> keeps;
  };
  void add(const json::Value& value, const std::string& where);
  void add_replace(const json::Value& value, const std::string& where);
  void add_strip(const json::Value& value, const std::string& where);

  std::vector<Step> steps_;
  bool lines_apart_ = true;
};

}  // namespace cupel

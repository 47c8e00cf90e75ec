// What BERT does to a text before its words are cut into pieces: cleaning, accents, case, words.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "data/tokenizer/unicode_forms.h"

namespace cupel {

/// BertNormalizer of a tokenizer.json (after BasicTokenizer of google-research/bert). Gives what
/// Hugging Face's tokenizers give, whose tables end with Unicode 8 or so: later marks,
/// punctuation and format characters count as letters there.
class BertNormalizer {
 public:
  struct Options {
    bool clean_text = true;            // control characters go, white space becomes spaces
    bool handle_chinese_chars = true;  // spaces around each ideograph
    bool strip_accents = true;         // canonical decomposition, then no nonspacing marks
    bool lowercase = true;
  };
  explicit BertNormalizer(Options options) : options_(options) {}
  /// A missing strip_accents is as lowercase. Throws Error{data} for another normalizer.
  static BertNormalizer parse(const json::Value& value, const std::string& where);

  /// Appends the normal form of `text` (valid UTF-8).
  void apply(std::string_view text, std::string& out) const;

 private:
  void prepare(std::string_view text, std::string& out) const;
  void finish(std::string_view text, std::string& out) const;

  Options options_;
};

/// A character that is a word of its own.
bool is_bert_punctuation(int32_t character);

/// BertPreTokenizer: calls `word` with each stretch without white space, punctuation characters
/// apart, until it returns false. `text` is valid UTF-8.
void for_each_bert_word(std::string_view text, const std::function<bool(std::string_view)>& word);

}  // namespace cupel

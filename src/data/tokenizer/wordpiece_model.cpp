#include "data/tokenizer/wordpiece_model.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "data/tokenizer/members.h"
#include "data/unicode.h"

namespace cupel {

namespace {

constexpr int64_t kMaxWordChars = 1000;  // a word's pieces cost the square of its length

std::string text_or(const json::Value& object, std::string_view key, const char* fallback,
                    const std::string& where) {
  const json::Value* value = object.find(key);
  return value == nullptr || value->is_null() ? fallback
                                              : value->as_string(where + "." + std::string(key));
}

}  // namespace

WordPieceModel WordPieceModel::parse(const json::Value& json, const std::string& where) {
  WordPieceModel model(Vocabulary::parse(json.at("vocab", where), where + ".vocab"),
                       text_or(json, "unk_token", "[UNK]", where), where);
  model.set_prefix(text_or(json, "continuing_subword_prefix", "##", where));
  const json::Value* limit = json.find("max_input_chars_per_word");
  if (limit == nullptr || limit->is_null()) return model;
  model.max_word_chars_ = limit->as_int(where + ".max_input_chars_per_word");
  if (model.max_word_chars_ < 1 || model.max_word_chars_ > kMaxWordChars) {
    fail(ErrorKind::data, where + ".max_input_chars_per_word",
         std::to_string(model.max_word_chars_) + " is not in 1 to " + std::to_string(kMaxWordChars),
         kDamaged);
  }
  return model;
}

WordPieceModel::WordPieceModel(Vocabulary vocabulary, std::string_view unknown,
                               const std::string& where)
    : tokens_(std::move(vocabulary.tokens)), first_(std::move(vocabulary.ids)) {
  const auto at = first_.find(unknown);
  if (at == first_.end()) {
    fail(ErrorKind::data, where,
         "the unknown token \"" + std::string(unknown) + "\" is not in the vocabulary", kDamaged);
  }
  unknown_ = at->second;
  set_prefix("##");
}

void WordPieceModel::set_prefix(const std::string& prefix) {
  inner_.clear();
  for (const auto& [token, id] : first_) {
    longest_ = std::max(longest_, token.size());
    if (token.starts_with(prefix)) inner_.emplace(token.substr(prefix.size()), id);
  }
}

void WordPieceModel::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  const std::size_t begin = ids.size();
  if (static_cast<int64_t>(word.size()) > max_word_chars_ &&
      static_cast<int64_t>(count_characters(word)) > max_word_chars_) {
    ids.push_back(unknown_);
    return;
  }
  const TokenIds* pieces = &first_;
  while (!word.empty()) {
    std::size_t size = std::min(word.size(), longest_);
    auto found = pieces->end();
    for (; size > 0; --size) {
      if (size < word.size() && (word[size] & 0xC0) == 0x80) continue;  // within a character
      found = pieces->find(word.substr(0, size));
      if (found != pieces->end()) break;
    }
    if (size == 0) {
      ids.resize(begin);
      ids.push_back(unknown_);
      return;
    }
    ids.push_back(found->second);
    word.remove_prefix(size);
    pieces = &inner_;
  }
}

}  // namespace cupel

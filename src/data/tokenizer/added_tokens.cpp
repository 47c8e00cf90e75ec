#include "data/tokenizer/added_tokens.h"

#include <algorithm>

#include "base/error.h"
#include "data/tokenizer/members.h"
#include "data/tokenizer/unicode_classes.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

namespace {

int32_t character_at(std::string_view text, std::size_t at) { return take_character(text, at); }

/// The beginning of the character before `at`.
std::size_t previous_character(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (text[at] & 0xC0) == 0x80);
  return at;
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0 && is_word_character(character_at(text, previous_character(text, begin)))) {
    return false;
  }
  return end == text.size() || !is_word_character(character_at(text, end));
}

}  // namespace

AddedToken parse_added_token(const json::Value& value, const std::string& where) {
  AddedToken token;
  const int64_t id = value.at("id", where).as_int(where + ".id");
  if (id < 0 || id >= kMaxTokenIds) {
    fail(ErrorKind::data, where + ".id",
         std::to_string(id) + " is not in 0 to " + std::to_string(kMaxTokenIds - 1), kDamaged);
  }
  token.id = static_cast<int32_t>(id);
  token.content = value.at("content", where).as_string(where + ".content");
  if (token.content.empty()) fail(ErrorKind::data, where + ".content", "is empty", kDamaged);
  token.special = flag(value, "special", false, where);
  token.single_word = flag(value, "single_word", false, where);
  token.lstrip = flag(value, "lstrip", false, where);
  token.rstrip = flag(value, "rstrip", false, where);
  token.normalized = flag(value, "normalized", false, where);
  return token;
}

int AddedTokenFinder::child(int node, char byte) const {
  const auto& children = nodes_[static_cast<std::size_t>(node)].children;
  const auto at = std::ranges::lower_bound(children, byte, {}, &std::pair<char, int>::first);
  return at != children.end() && at->first == byte ? at->second : -1;
}

void AddedTokenFinder::add(const AddedToken& token) {
  if (token.content.empty()) return;
  int node = 0;
  for (const char byte : token.content) {
    int next = child(node, byte);
    if (next < 0) {
      next = static_cast<int>(nodes_.size());
      nodes_.emplace_back();
      auto& children = nodes_[static_cast<std::size_t>(node)].children;
      const auto at = std::ranges::lower_bound(children, byte, {}, &std::pair<char, int>::first);
      children.emplace(at, byte, next);
    }
    node = next;
  }
  nodes_[static_cast<std::size_t>(node)].token = static_cast<int>(tokens_.size());
  tokens_.push_back(token);
}

void AddedTokenFinder::cut(std::string_view text,
                           const std::function<void(std::string_view)>& stretch,
                           const std::function<void(int32_t)>& token) const {
  std::size_t done = 0, at = 0;
  while (at < text.size() && !tokens_.empty()) {
    int found = -1;
    std::size_t end = at;
    int node = 0;
    for (std::size_t i = at; i < text.size() && (node = child(node, text[i])) >= 0; ++i) {
      const int here = nodes_[static_cast<std::size_t>(node)].token;
      if (here >= 0) found = here, end = i + 1;
    }
    if (found < 0) {
      ++at;
      continue;
    }
    const AddedToken& match = tokens_[static_cast<std::size_t>(found)];
    std::size_t begin = at;
    at = end;
    if (match.single_word && !stands_alone(text, begin, end)) continue;
    while (match.lstrip && begin > done) {
      const std::size_t before = previous_character(text, begin);
      if (before < done || !is_white_space(character_at(text, before))) break;
      begin = before;
    }
    while (match.rstrip && end < text.size() && is_white_space(character_at(text, end))) {
      take_character(text, end);
    }
    if (begin > done) stretch(text.substr(done, begin - done));
    token(match.id);
    done = at = end;
  }
  if (done < text.size()) stretch(text.substr(done));
}

}  // namespace cupel

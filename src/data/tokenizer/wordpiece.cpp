#include "data/tokenizer/wordpiece.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "data/tokenizer/members.h"
#include "data/utf8.h"

namespace cupel {

namespace {

std::string text_or(const json::Value& value, const char* fallback, const std::string& where) {
  return value.is_null() ? fallback : value.as_string(where);
}

void check_type(const json::Value& value, std::string_view known, const std::string& where) {
  const json::Value& type = member(value, "type");
  if (type == json::Value(known)) return;
  fail(ErrorKind::data, where, "unknown type " + json::dump(type), "known: " + std::string(known));
}

/// Name of a special token: a string, or an object with "content".
std::string special_token(const json::Value& config, std::string_view key, const char* fallback,
                          const std::string& where) {
  const json::Value* value = &member(config, key);
  if (value->is_object()) value = &value->at("content", where);
  return text_or(*value, fallback, where + ": " + std::string(key));
}

}  // namespace

WordPiece WordPiece::load(const std::filesystem::path& path) {
  std::filesystem::path file = path;
  if (std::filesystem::is_directory(path)) {
    file = path / "tokenizer.json";
    if (!std::filesystem::exists(file)) file = path / "vocab.txt";
    if (!std::filesystem::exists(file)) {
      fail(ErrorKind::config, path.string(), "folder has neither tokenizer.json nor vocab.txt",
           "name the folder of a BERT model");
    }
  }
  const std::string text = read_file(file, kMaxTokenizerBytes);
  if (file.extension() != ".txt") return parse(text, file.string());
  const std::filesystem::path config = file.parent_path() / "tokenizer_config.json";
  return parse_vocabulary(
      text, file.string(),
      std::filesystem::exists(config) ? read_file(config, kMaxTokenizerBytes) : std::string());
}

WordPiece WordPiece::parse(std::string_view text, const std::string& where) {
  const json::Value root = json::parse(text, where, {.depth = 64, .bytes = kMaxTokenizerBytes});
  check_type(root.at("model", where), "WordPiece", where + ": model");
  check_type(member(root, "pre_tokenizer"), "BertPreTokenizer", where + ": pre_tokenizer");
  WordPiece result(BertNormalizer::parse(member(root, "normalizer"), where + ": normalizer"),
                   WordPieceModel::parse(root.at("model", where), where + ": model"));
  const std::string here = where + ": added_tokens";
  if (const json::Value& added = member(root, "added_tokens"); !added.is_null()) {
    for (const json::Value& item : added.as_array(here)) {
      result.add_token(parse_added_token(item, here), here);
    }
  }
  result.around_ = parse_post_processor(member(root, "post_processor"), where + ": post_processor",
                                        result.size_);
  return result;
}

WordPiece WordPiece::parse_vocabulary(std::string_view text, const std::string& where,
                                      std::string_view config) {
  const std::string beside =
      (std::filesystem::path(where).parent_path() / "tokenizer_config.json").string();
  const json::Value root = config.empty() ? json::Value() : json::parse(config, beside);
  const auto flag = [&](std::string_view key, bool otherwise) {
    const json::Value& value = member(root, key);
    return value.is_null() ? otherwise : value.as_bool(beside + ": " + std::string(key));
  };
  BertNormalizer::Options options;
  options.lowercase = flag("do_lower_case", true);
  options.handle_chinese_chars = flag("tokenize_chinese_chars", true);
  options.strip_accents = flag("strip_accents", options.lowercase);
  Vocabulary vocabulary;
  for (int64_t number = 1; !text.empty(); ++number) {
    std::string_view token = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), token.size() + 1));
    if (token.ends_with('\r')) token.remove_suffix(1);
    if (const auto bad = find_invalid_utf8(token); bad || number > kMaxTokenIds) {
      fail(ErrorKind::data, where + ":" + std::to_string(number),
           bad ? "is not valid UTF-8" : "is one token too many", kDamaged);
    }
    if (!token.empty() && !vocabulary.ids.emplace(token, static_cast<int32_t>(number - 1)).second) {
      fail(ErrorKind::data, where + ":" + std::to_string(number),
           "token \"" + std::string(token) + "\" stands twice", kDamaged);
    }
    vocabulary.tokens.emplace_back(token);
  }
  WordPiece result(BertNormalizer(options),
                   WordPieceModel(std::move(vocabulary),
                                  special_token(root, "unk_token", "[UNK]", beside), where));
  const TokenIds& ids = result.model_.ids();
  const auto add_special = [&](std::string_view key, const char* fallback) -> std::optional<int> {
    const std::string token = special_token(root, key, fallback, beside);
    const auto at = ids.find(token);
    if (at == ids.end()) return std::nullopt;
    result.added_.add({.id = at->second, .content = token, .special = true});
    return at->second;
  };
  const auto begin = add_special("cls_token", "[CLS]"), end = add_special("sep_token", "[SEP]");
  add_special("pad_token", "[PAD]"), add_special("mask_token", "[MASK]");
  add_special("unk_token", "[UNK]");
  if (!begin || !end) {
    fail(ErrorKind::data, where, "lacks the tokens around a text, [CLS] and [SEP]",
         "name the vocabulary of a BERT model");
  }
  result.around_ = {{*begin}, {*end}};
  return result;
}

void WordPiece::add_token(const AddedToken& token, const std::string& where) {
  const auto same = model_.ids().find(token.content);
  if (same == model_.ids().end() ? static_cast<std::size_t>(token.id) < size_
                                 : same->second != token.id) {
    fail(ErrorKind::data, where,
         "\"" + token.content + "\" with id " + std::to_string(token.id) +
             " contradicts the vocabulary",
         kDamaged);
  }
  if (token.normalized) {
    fail(ErrorKind::data, where, "\"" + token.content + "\" is sought in normalised text",
         "WordPiece knows added tokens with \"normalized\": false");
  }
  added_.add(token);
  size_ = std::max(size_, static_cast<std::size_t>(token.id) + 1);
}

std::vector<int32_t> WordPiece::encode(std::string_view text, int64_t max_tokens) const {
  if (const auto bad = find_invalid_utf8(text)) {
    fail(ErrorKind::data, "[data.tokenizer]",
         "text is not valid UTF-8 at byte " + std::to_string(*bad), "convert it to UTF-8");
  }
  const std::size_t around = around_.before.size() + around_.after.size();
  CUPEL_ASSERT(max_tokens >= static_cast<int64_t>(around));
  const std::size_t limit = static_cast<std::size_t>(max_tokens) - around_.after.size();
  std::vector<int32_t> ids = around_.before;
  added_.cut(
      text, [&](std::string_view stretch) { encode_stretch(stretch, limit, ids); },
      [&](int32_t id) { ids.push_back(id); });
  if (ids.size() > limit) ids.resize(limit);
  ids.insert(ids.end(), around_.after.begin(), around_.after.end());
  return ids;
}

/// Text without added tokens, in pieces between blanks, which no rule of BERT looks across: so what
/// lies beyond the limit is never normalised.
void WordPiece::encode_stretch(std::string_view text, std::size_t limit,
                               std::vector<int32_t>& ids) const {
  constexpr std::string_view kBlanks = " \t\r\n";
  std::string normalized;
  while (ids.size() < limit) {
    text.remove_prefix(std::min(text.size(), text.find_first_not_of(kBlanks)));
    if (text.empty()) return;
    const std::string_view piece = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(piece.size());
    normalized.clear();
    normalizer_.apply(piece, normalized);
    for_each_bert_word(normalized, [&](std::string_view word) {
      model_.encode_word(word, ids);
      return ids.size() < limit;
    });
  }
}

}  // namespace cupel

#include "data/tokenizer/gguf_tokenizer.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "data/adapter_folder.h"
#include "data/tokenizer/gguf_pre.h"
#include "data/tokenizer/members.h"
#include "data/tokenizer/sentencepiece_merges.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

namespace {

const GgufPre& pre_of(const Gguf& file) {
  constexpr std::string_view kKey = "tokenizer.ggml.pre";
  const GgufValue* value = file.find(kKey);
  const std::string_view name = value == nullptr ? "default" : value->as_text(file.place(kKey));
  if (const GgufPre* row = find_gguf_pre(name)) return *row;
  fail(ErrorKind::data, file.place(kKey), "unknown pre-tokenizer \"" + clip(name, 80) + "\"",
       "known: " + known_gguf_pres());
}

struct Tokens {
  std::vector<std::string_view> texts;  // by id
  std::vector<int64_t> kinds;
};

Tokens take_tokens(const Gguf& file) {
  constexpr std::string_view kKey = "tokenizer.ggml.tokens", kKindKey = "tokenizer.ggml.token_type";
  Tokens tokens;
  tokens.texts = file.at(kKey).as_texts(file.place(kKey));
  const std::size_t count = tokens.texts.size();
  if (count == 0 || count > static_cast<std::size_t>(kMaxTokenIds)) {
    fail(ErrorKind::data, file.place(kKey),
         std::to_string(count) + " tokens, 1 to " + std::to_string(kMaxTokenIds) + " are allowed",
         kDamaged);
  }
  const GgufValue* kinds = file.find(kKindKey);
  tokens.kinds = kinds == nullptr ? std::vector<int64_t>(count, GgufToken::normal)
                                  : kinds->as_ints(file.place(kKindKey));
  if (tokens.kinds.size() != count) {
    fail(ErrorKind::data, file.place(kKindKey),
         std::to_string(tokens.kinds.size()) + " kinds of " + std::to_string(count) + " tokens",
         kDamaged);
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t id = 0; id < count; ++id) {
    const std::string_view text = tokens.texts[id];
    if (tokens.kinds[id] == GgufToken::unused) continue;
    if (text.empty() || valid_utf8_prefix(text) != text.size() || !seen.insert(text).second) {
      fail(ErrorKind::data, file.place(kKey),
           "token " + std::to_string(id) + ", \"" + clip(text, 40) +
               "\", is empty, no UTF-8 or there twice",
           kDamaged);
    }
  }
  return tokens;
}

json::Value vocabulary_of(const Tokens& tokens) {
  json::Object vocabulary;
  for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
    if (tokens.kinds[id] != GgufToken::unused)
      vocabulary.emplace_back(std::string(tokens.texts[id]), static_cast<int64_t>(id));
  }
  return vocabulary;
}

json::Value added_tokens_of(const Tokens& tokens) {
  json::Array added;
  for (std::size_t id = 0; id < tokens.texts.size(); ++id) {
    const int64_t kind = tokens.kinds[id];
    if (kind != GgufToken::control && kind != GgufToken::unknown && kind != GgufToken::user_defined)
      continue;
    added.push_back(json::Object{{"id", static_cast<int64_t>(id)},
                                 {"content", tokens.texts[id]},
                                 {"single_word", false},
                                 {"lstrip", false},
                                 {"rstrip", false},
                                 {"normalized", false},
                                 {"special", kind != GgufToken::user_defined}});
  }
  return added;
}

/// The token whose id stands under tokenizer.ggml.<name>_token_id; empty: none.
std::string token_named(const Gguf& file, const Tokens& tokens, std::string_view name) {
  const std::string key = "tokenizer.ggml." + std::string(name) + "_token_id";
  const GgufValue* value = file.find(key);
  if (value == nullptr) return "";
  const int64_t id = value->as_int(file.place(key));
  if (id == UINT32_MAX || id == -1) return "";  // how converters write "none"
  if (id < 0 || id >= static_cast<int64_t>(tokens.texts.size()) ||
      tokens.kinds[static_cast<std::size_t>(id)] == GgufToken::unused) {
    fail(ErrorKind::data, file.place(key), std::to_string(id) + " is no token", kDamaged);
  }
  return std::string(tokens.texts[static_cast<std::size_t>(id)]);
}

bool flag(const Gguf& file, std::string_view key, bool fallback) {
  const GgufValue* value = file.find(key);
  return value == nullptr ? fallback : value->as_bool(file.place(key));
}

/// What stands around a text: bos before and eos after it, where the file asks for them.
struct Ends {
  std::string bos, eos;  // empty: no such token
  bool add_bos = false, add_eos = false;
};

Ends take_ends(const Gguf& file, const Tokens& tokens, bool begins) {
  Ends ends{token_named(file, tokens, "bos"), token_named(file, tokens, "eos")};
  ends.add_bos = flag(file, "tokenizer.ggml.add_bos_token", begins) && !ends.bos.empty();
  ends.add_eos = flag(file, "tokenizer.ggml.add_eos_token", false) && !ends.eos.empty();
  return ends;
}

/// Null if nothing is put around a text.
json::Value post_processor_of(const Ends& ends, const Tokens& tokens) {
  if (!ends.add_bos && !ends.add_eos) return nullptr;
  json::Object special;
  const auto piece = [&](const std::string& token) -> json::Value {
    const auto at = std::find(tokens.texts.begin(), tokens.texts.end(), token);
    special.emplace_back(token, json::Object{{"id", token},
                                             {"ids", json::Array{at - tokens.texts.begin()}},
                                             {"tokens", json::Array{token}}});
    return json::Object{{"SpecialToken", json::Object{{"id", token}, {"type_id", 0}}}};
  };
  const auto text = [](const char* name, int type) -> json::Value {
    return json::Object{{"Sequence", json::Object{{"id", name}, {"type_id", type}}}};
  };
  json::Array single, pair;
  if (ends.add_bos) single.push_back(piece(ends.bos));
  single.push_back(text("A", 0));
  if (ends.add_eos) {
    if (ends.add_bos && ends.eos == ends.bos) {
      single.push_back(single.front());
    } else {
      single.push_back(piece(ends.eos));
    }
  }
  pair = single;
  pair.push_back(text("B", 1));
  return json::Object{{"type", "TemplateProcessing"},
                      {"single", std::move(single)},
                      {"pair", std::move(pair)},
                      {"special_tokens", std::move(special)}};
}

std::string config_of(const Gguf& file, const Tokens& tokens, const Ends& ends) {
  json::Object config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                      {"clean_up_tokenization_spaces", false}};
  const auto add = [&](const char* key, const std::string& token) {
    if (!token.empty()) config.emplace_back(key, token);
  };
  add("bos_token", ends.bos);
  add("eos_token", ends.eos);
  add("unk_token", token_named(file, tokens, "unknown"));
  add("pad_token", token_named(file, tokens, "padding"));
  config.emplace_back("add_bos_token", ends.add_bos);
  config.emplace_back("add_eos_token", ends.add_eos);
  if (const GgufValue* chat = file.find("tokenizer.chat_template")) {
    const std::string_view text = chat->as_text(file.place("tokenizer.chat_template"));
    if (valid_utf8_prefix(text) != text.size())
      fail(ErrorKind::data, file.place("tokenizer.chat_template"), "is no UTF-8", kDamaged);
    config.emplace_back("chat_template", text);
  }
  return json::dump(std::move(config), 2) + "\n";
}

json::Value tokenizer_json(const Tokens& tokens, json::Value normalizer, json::Value pre_tokenizer,
                           json::Value post_processor, json::Value decoder, json::Value model) {
  return json::Object{{"version", "1.0"},
                      {"truncation", nullptr},
                      {"padding", nullptr},
                      {"added_tokens", added_tokens_of(tokens)},
                      {"normalizer", std::move(normalizer)},
                      {"pre_tokenizer", std::move(pre_tokenizer)},
                      {"post_processor", std::move(post_processor)},
                      {"decoder", std::move(decoder)},
                      {"model", std::move(model)}};
}

json::Value bpe_model(json::Value unknown, bool byte_fallback, bool whole_words, json::Value vocab,
                      json::Array merges) {
  return json::Object{{"type", "BPE"},
                      {"dropout", nullptr},
                      {"unk_token", std::move(unknown)},
                      {"continuing_subword_prefix", nullptr},
                      {"end_of_word_suffix", nullptr},
                      {"fuse_unk", byte_fallback},
                      {"byte_fallback", byte_fallback},
                      {"ignore_merges", whole_words},
                      {"vocab", std::move(vocab)},
                      {"merges", std::move(merges)}};
}

TokenizerTexts byte_level_texts(const Gguf& file) {
  const GgufPre& row = pre_of(file);
  const Tokens tokens = take_tokens(file);
  json::Array merges;
  constexpr std::string_view kKey = "tokenizer.ggml.merges";
  for (const std::string_view merge : file.at(kKey).as_texts(file.place(kKey))) {
    const std::size_t space = merge.find(' ', 1);
    if (space == std::string_view::npos || valid_utf8_prefix(merge) != merge.size())
      fail(ErrorKind::data, file.place(kKey), "\"" + clip(merge, 40) + "\" is no pair", kDamaged);
    merges.push_back(json::Array{merge.substr(0, space), merge.substr(space + 1)});
  }
  const Ends ends = take_ends(file, tokens, row.begins);
  const json::Value normalizer = flag(file, kGgufComposed, row.composed)
                                     ? json::Value(json::Object{{"type", "NFC"}})
                                     : json::Value(nullptr);
  const json::Value root = tokenizer_json(
      tokens, normalizer, pre_tokenizer_json(row), post_processor_of(ends, tokens),
      byte_level_json(true),
      bpe_model(nullptr, false, row.whole_words, vocabulary_of(tokens), std::move(merges)));
  return {json::dump(root), config_of(file, tokens, ends)};
}

json::Array sentencepiece_merges_of(const Gguf& file, const Tokens& tokens) {
  constexpr std::string_view kKey = "tokenizer.ggml.scores";
  const std::vector<double> scores = file.at(kKey).as_doubles(file.place(kKey));
  if (scores.size() != tokens.texts.size() ||
      !std::all_of(scores.begin(), scores.end(), [](double score) { return !std::isnan(score); })) {
    fail(ErrorKind::data, file.place(kKey), "does not hold a number for every token", kDamaged);
  }
  std::vector<std::string_view> pieces = tokens.texts;
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (tokens.kinds[id] != GgufToken::normal) pieces[id] = {};
  }
  json::Array merges;
  for (const auto& [left, right] : sentencepiece_merges(pieces, scores, file.place(kKey)))
    merges.push_back(json::Array{left, right});
  return merges;
}

/// U+2581 stands for a space, and one is put before a text.
TokenizerTexts sentencepiece_texts(const Gguf& file) {
  const Tokens tokens = take_tokens(file);
  const auto replace = [](const char* from, const char* to) -> json::Value {
    return json::Object{
        {"type", "Replace"}, {"pattern", json::Object{{"String", from}}}, {"content", to}};
  };
  constexpr const char* kMetaspace = "\u2581";
  json::Array normalizers,
      decoders{replace(kMetaspace, " "), json::Object{{"type", "ByteFallback"}},
               json::Object{{"type", "Fuse"}}};
  if (flag(file, "tokenizer.ggml.add_space_prefix", true)) {
    normalizers.push_back(json::Object{{"type", "Prepend"}, {"prepend", kMetaspace}});
    decoders.push_back(
        json::Object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
  }
  normalizers.push_back(replace(" ", kMetaspace));
  const Ends ends = take_ends(file, tokens, true);
  const std::string unknown = token_named(file, tokens, "unknown");
  const json::Value unknown_token = unknown.empty() ? json::Value(nullptr) : json::Value(unknown);
  const json::Value root = tokenizer_json(
      tokens, json::Object{{"type", "Sequence"}, {"normalizers", std::move(normalizers)}}, nullptr,
      post_processor_of(ends, tokens),
      json::Object{{"type", "Sequence"}, {"decoders", std::move(decoders)}},
      bpe_model(unknown_token, true, false, vocabulary_of(tokens),
                sentencepiece_merges_of(file, tokens)));
  return {json::dump(root), config_of(file, tokens, ends)};
}

}  // namespace

TokenizerTexts tokenizer_texts(const Gguf& file) {
  constexpr std::string_view kKey = "tokenizer.ggml.model";
  const std::string_view model = file.at(kKey).as_text(file.place(kKey));
  if (model == "gpt2") return byte_level_texts(file);
  if (model == "llama") return sentencepiece_texts(file);
  fail(ErrorKind::data, file.place(kKey), "unknown tokenizer \"" + clip(model, 80) + "\"",
       "known: gpt2, llama");
}

std::filesystem::path tokenizer_file(const std::filesystem::path& model) {
  if (is_gguf(model)) return model;
  const std::filesystem::path own = model / "tokenizer.json";
  return is_adapter(model) && !std::filesystem::exists(own) ? tokenizer_file(base_of_adapter(model))
                                                            : own;
}

Tokenizer load_tokenizer(const std::filesystem::path& path) {
  if (is_adapter(path)) return load_tokenizer(tokenizer_file(path));
  if (!is_gguf(path)) return Tokenizer::load(path);
  const TokenizerTexts texts = tokenizer_texts(Gguf::open(path));
  return Tokenizer::parse(texts.tokenizer, path.string(), texts.config);
}

}  // namespace cupel

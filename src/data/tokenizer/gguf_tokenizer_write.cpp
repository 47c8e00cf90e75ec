#include "data/tokenizer/gguf_tokenizer_write.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>

#include "base/error.h"
#include "base/json.h"
#include "data/tokenizer/byte_alphabet.h"
#include "data/tokenizer/gguf_pre.h"
#include "data/tokenizer/post_processor.h"
#include "data/tokenizer/sentencepiece_merges.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

namespace {

constexpr const char* kMetaspace = "\u2581";  // SentencePiece's
constexpr float kAddedScore = -1000;  // as llama.cpp's converter has it; nothing merges into it

[[noreturn]] void fail_tokenizer(const std::string& where, std::string text) {
  fail(ErrorKind::data, where + ": tokenizer.json", std::move(text),
       "--format=safetensors keeps the tokenizer as it is");
}

const json::Value& member_of(const json::Value& object, std::string_view key) {
  static const json::Value none;
  const json::Value* value = object.find(key);
  return value == nullptr ? none : *value;
}

bool is_true(const json::Value& object, std::string_view key) {
  const json::Value& value = member_of(object, key);
  return value.is_bool() && value.as_bool("");
}

struct WrittenTokens {
  std::vector<std::string> texts;  // by id
  std::vector<int32_t> kinds;
};

WrittenTokens tokens_by_id(const json::Value& root, const Tokenizer& tokenizer,
                           const GgufBeside& beside, std::vector<std::string>& notes) {
  const auto count =
      static_cast<std::size_t>(std::max<int64_t>(tokenizer.vocab_size(), beside.vocab_size));
  WrittenTokens tokens{std::vector<std::string>(count),
                       std::vector<int32_t>(count, GgufToken::unused)};
  const json::Value& model = root.at("model", beside.where);
  const bool bytes = is_true(model, "byte_fallback");
  for (const auto& [text, id] : model.at("vocab", beside.where).as_object(beside.where)) {
    const auto index = static_cast<std::size_t>(id.as_int(beside.where));
    tokens.texts[index] = text;
    tokens.kinds[index] =
        bytes && byte_of_token(text).has_value() ? GgufToken::byte : GgufToken::normal;
  }
  bool stripped = false;
  const json::Value& added = member_of(root, "added_tokens");
  for (const json::Value& token : added.is_null() ? json::Array{} : added.as_array(beside.where)) {
    const auto index = static_cast<std::size_t>(token.at("id", beside.where).as_int(beside.where));
    tokens.texts[index] = token.at("content", beside.where).as_string(beside.where);
    tokens.kinds[index] = is_true(token, "special") ? GgufToken::control : GgufToken::user_defined;
    stripped |=
        is_true(token, "lstrip") || is_true(token, "rstrip") || is_true(token, "single_word");
  }
  if (stripped)
    notes.push_back("that tokens take white space along or must be single words is left out");
  const json::Value& unknown = member_of(model, "unk_token");
  if (unknown.is_string()) {
    const auto id = tokenizer.token_to_id(unknown.as_string(""));
    if (id) tokens.kinds[static_cast<std::size_t>(*id)] = GgufToken::unknown;
  }
  for (std::size_t id = 0; id < count; ++id) {
    if (tokens.kinds[id] == GgufToken::unused) tokens.texts[id] = "[PAD" + std::to_string(id) + "]";
  }
  return tokens;
}

/// Both forms of tokenizer.json: "a b" and ["a", "b"].
std::vector<std::pair<std::string, std::string>> merges_of(const json::Value& root,
                                                           const std::string& where) {
  std::vector<std::pair<std::string, std::string>> merges;
  for (const json::Value& merge : root.at("model", where).at("merges", where).as_array(where)) {
    if (merge.is_array()) {
      const json::Array& pair = merge.as_array(where);
      merges.emplace_back(pair.at(0).as_string(where), pair.at(1).as_string(where));
    } else {
      const std::string& text = merge.as_string(where);
      const std::size_t space = text.find(' ', 1);
      merges.emplace_back(text.substr(0, space), text.substr(space + 1));
    }
  }
  return merges;
}

/// The steps of a normalizer or pre-tokenizer, Sequences taken apart.
std::vector<json::Value> steps_of(const json::Value& value, const std::string& where) {
  if (value.is_null()) return {};
  if (member_of(value, "type") != json::Value("Sequence")) return {value};
  std::vector<json::Value> steps;
  for (const char* key : {"normalizers", "pretokenizers"}) {
    if (const json::Value* list = value.find(key)) {
      for (const json::Value& item : list->as_array(where)) {
        const std::vector<json::Value> inner = steps_of(item, where);
        steps.insert(steps.end(), inner.begin(), inner.end());
      }
    }
  }
  return steps;
}

void add_byte_level(const json::Value& root, const PreTokenizer& words, const std::string& where,
                    GgufMetadata& metadata, std::vector<std::string>& notes) {
  const GgufPre* row = gguf_pre_of(words);
  if (row == nullptr)
    fail_tokenizer(where,
                   "no name that llama.cpp knows cuts words as this pre-tokenizer does; known: " +
                       known_gguf_pres());
  if (is_true(root.at("model", where), "ignore_merges") != row->whole_words)
    fail_tokenizer(where, std::string("ignore_merges is ") + (row->whole_words ? "false" : "true") +
                              ", and the other way round with llama.cpp's pre-tokenizer " +
                              std::string(row->names[0]));
  const std::vector<json::Value> normalizers = steps_of(member_of(root, "normalizer"), where);
  const bool composed = !normalizers.empty();
  for (const json::Value& step : normalizers) {
    if (member_of(step, "type") != json::Value("NFC"))
      fail_tokenizer(where, "llama.cpp has no normalizer like " + json::dump(step));
  }
  if (composed) notes.push_back("llama.cpp does not bring text to NFC");
  metadata.text("tokenizer.ggml.model", "gpt2");
  metadata.text("tokenizer.ggml.pre", row->names[0]);
  if (composed != row->composed) metadata.boolean(kGgufComposed, composed);
  std::vector<std::string> merges;
  for (const auto& [left, right] : merges_of(root, where)) merges.push_back(left + " " + right);
  metadata.texts("tokenizer.ggml.merges", merges);
}

/// Whether a space is put before a text: by a step of the normalizer, or by a Metaspace.
bool space_before(const json::Value& root, const std::string& where,
                  std::vector<std::string>& notes) {
  const json::Value prepend = json::Object{{"type", "Prepend"}, {"prepend", kMetaspace}};
  const json::Value replace = json::Object{
      {"type", "Replace"}, {"pattern", json::Object{{"String", " "}}}, {"content", kMetaspace}};
  using Steps = std::vector<json::Value>;
  const Steps normalizers = steps_of(member_of(root, "normalizer"), where);
  const Steps words = steps_of(member_of(root, "pre_tokenizer"), where);
  if (words.empty() && normalizers == Steps{prepend, replace}) return true;
  if (words.empty() && normalizers == Steps{replace}) return false;
  const bool metaspace = normalizers.empty() && words.size() == 1 &&
                         member_of(words[0], "type") == json::Value("Metaspace") &&
                         member_of(words[0], "replacement") == json::Value(kMetaspace) &&
                         member_of(words[0], "split") == json::Value(false);
  if (!metaspace)
    fail_tokenizer(where, "text is changed or cut otherwise than llama.cpp does for SentencePiece");
  const json::Value& scheme = member_of(words[0], "prepend_scheme");
  if (scheme == json::Value("never")) return false;
  notes.push_back("llama.cpp puts a space behind every special token too");
  return true;
}

/// Scores that order the pieces as the merges do: 0 for the first one that is made, -1 for the
/// second, …; below all of them what no merge makes. The merges must be all ways to make a piece of
/// two others, those of one piece together, as SentencePiece's are.
std::vector<float> scores_of(const json::Value& root, const WrittenTokens& tokens,
                             const std::string& where) {
  std::vector<std::string_view> pieces(tokens.texts.begin(), tokens.texts.end());
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (tokens.kinds[id] != GgufToken::normal) pieces[id] = {};
  }
  const auto merges = merges_of(root, where);
  std::unordered_map<std::string, int64_t> ranks;
  using Way = std::tuple<int64_t, std::string, std::string>;
  std::vector<Way> ways, wanted;
  bool together = true;
  for (const auto& [left, right] : merges) {
    const auto rank = ranks.emplace(left + right, static_cast<int64_t>(ranks.size())).first->second;
    together &= ways.empty() || rank >= std::get<0>(ways.back());
    ways.emplace_back(rank, left, right);
  }
  std::vector<double> scores(pieces.size(), kAddedScore);
  for (std::size_t id = 0; id < pieces.size(); ++id) {
    if (pieces[id].empty()) continue;
    const auto at = ranks.find(std::string(pieces[id]));
    scores[id] = -static_cast<double>(at == ranks.end() ? ranks.size() + id
                                                        : static_cast<std::size_t>(at->second));
  }
  for (const auto& [left, right] : sentencepiece_merges(pieces, scores, where)) {
    const auto at = ranks.find(std::string(left) + std::string(right));
    wanted.emplace_back(at == ranks.end() ? -1 : at->second, left, right);
  }
  std::ranges::sort(ways);
  std::ranges::sort(wanted);
  if (!together || ways != wanted)
    fail_tokenizer(where, "the merges are not all those of a SentencePiece model, in its order");
  return {scores.begin(), scores.end()};
}

void add_sentencepiece(const json::Value& root, const WrittenTokens& tokens,
                       const std::string& where, GgufMetadata& metadata,
                       std::vector<std::string>& notes) {
  metadata.text("tokenizer.ggml.model", "llama");
  metadata.text("tokenizer.ggml.pre", "default");
  metadata.boolean("tokenizer.ggml.add_space_prefix", space_before(root, where, notes));
  metadata.numbers("tokenizer.ggml.scores", scores_of(root, tokens, where));
}

/// Ids of the tokens with a part to play, and which of them stand around a text. A first token that
/// tokenizer_config.json does not name is what the file calls bos.
void add_special(const json::Value& root, const Tokenizer& tokenizer, const GgufBeside& beside,
                 GgufMetadata& metadata) {
  const auto id_entry = [&](const char* name, std::optional<int32_t> id) {
    if (id)
      metadata.number("tokenizer.ggml." + std::string(name) + "_token_id",
                      static_cast<uint32_t>(*id));
  };
  const std::vector<int32_t>& before = tokenizer.prefix();
  const std::vector<int32_t> after =
      parse_post_processor(member_of(root, "post_processor"), beside.where,
                           static_cast<std::size_t>(tokenizer.vocab_size()))
          .after;
  const std::optional<int32_t> bos = before.empty() ? tokenizer.bos_id() : before[0];
  std::vector<int32_t> endings = beside.endings;
  endings.insert(endings.begin(), after.begin(), after.end());
  std::optional<int32_t> eos = tokenizer.eos_id();
  if (!eos && !endings.empty()) eos = endings[0];
  if (before.size() > 1 || after.size() > 1 || (!after.empty() && after[0] != eos))
    fail_tokenizer(beside.where, "more than a first and a last token stand around a text");
  id_entry("bos", bos);
  id_entry("eos", eos);
  std::erase_if(endings, [&](int32_t id) { return id == eos; });
  if (!endings.empty()) id_entry("eot", endings[0]);
  if (endings.size() > 1) id_entry("eom", endings[1]);
  const json::Value config =
      tokenizer.config().empty() ? json::Value() : json::parse(tokenizer.config(), beside.where);
  const auto named = [&](const char* key) -> std::optional<int32_t> {
    const json::Value& value = member_of(config, key);
    const json::Value& text = value.is_object() ? member_of(value, "content") : value;
    return text.is_string() ? tokenizer.token_to_id(text.as_string("")) : std::nullopt;
  };
  std::optional<int32_t> unknown = named("unk_token");
  const json::Value& of_model = member_of(root.at("model", beside.where), "unk_token");
  if (of_model.is_string()) unknown = tokenizer.token_to_id(of_model.as_string(""));
  id_entry("unknown", unknown);
  id_entry("padding", named("pad_token"));
  metadata.boolean("tokenizer.ggml.add_bos_token", !before.empty());
  metadata.boolean("tokenizer.ggml.add_eos_token", !after.empty());
}

}  // namespace

std::vector<std::string> add_gguf_tokenizer(const Tokenizer& tokenizer, const GgufBeside& beside,
                                            GgufMetadata& metadata) {
  const std::string& where = beside.where;
  const json::Value root = json::parse(tokenizer.json(), where);
  const json::Value& model = root.at("model", where);
  const PreTokenizer words = PreTokenizer::parse(member_of(root, "pre_tokenizer"), where);
  const json::Value& type = member_of(model, "type");
  const bool bpe = type.is_null() || type == json::Value("BPE");
  if (!bpe || words.byte_level() == is_true(model, "byte_fallback"))
    fail_tokenizer(where, "a GGUF has a place for byte-level BPE and for BPE with byte fallback");
  std::vector<std::string> notes;
  const WrittenTokens tokens = tokens_by_id(root, tokenizer, beside, notes);
  if (words.byte_level()) {
    add_byte_level(root, words, where, metadata, notes);
  } else {
    add_sentencepiece(root, tokens, where, metadata, notes);
  }
  metadata.texts("tokenizer.ggml.tokens", tokens.texts);
  metadata.numbers("tokenizer.ggml.token_type", tokens.kinds);
  add_special(root, tokenizer, beside, metadata);
  if (!beside.chat_template.empty()) metadata.text("tokenizer.chat_template", beside.chat_template);
  return notes;
}

std::string chat_template_text(std::string_view config, std::string_view jinja) {
  if (!jinja.empty()) return std::string(jinja);
  if (config.empty()) return "";
  const json::Value root = json::parse(config, "tokenizer_config.json");
  const json::Value& value = member_of(root, "chat_template");
  if (value.is_string()) return value.as_string("");
  if (!value.is_array()) return "";
  for (const json::Value& item : value.as_array("")) {
    if (member_of(item, "name") == json::Value("default"))
      return item.at("template", "tokenizer_config.json").as_string("tokenizer_config.json");
  }
  return "";
}

}  // namespace cupel

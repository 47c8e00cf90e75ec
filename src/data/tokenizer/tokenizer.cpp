#include "data/tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <utility>
#include <variant>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/rng.h"
#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/decoder.h"
#include "data/tokenizer/members.h"
#include "data/tokenizer/normalize.h"
#include "data/tokenizer/post_processor.h"
#include "data/tokenizer/pretokenize.h"
#include "data/tokenizer/unicode_classes.h"
#include "data/tokenizer/wordpiece_model.h"
#include "data/utf8.h"

namespace cupel {

namespace {

constexpr int64_t kWordsBetweenPolls = 1 << 14;  // some milliseconds

/// Words seen before and their ids: one table a thread, direct-mapped, for the tokenizer used last.
class WordCache {
 public:
  static constexpr std::size_t kMaxWordBytes = 28;
  static constexpr std::size_t kMaxIds = 8;

  struct Entry {
    uint8_t bytes = 0, ids = 0;  // bytes = 0: empty
    char word[kMaxWordBytes];
    int32_t id[kMaxIds];
  };

  Entry& entry(std::string_view word, uint64_t owner) {
    if (owner_ != owner) {
      entries_.assign(kEntries, Entry());
      owner_ = owner;
    }
    return entries_[hash64(word) % kEntries];
  }

 private:
  static constexpr std::size_t kEntries = 1 << 14;
  uint64_t owner_ = 0;
  std::vector<Entry> entries_;
};

std::string_view text_or(const json::Value* value, std::string_view fallback,
                         const std::string& where) {
  return value == nullptr || value->is_null() ? fallback : value->as_string(where);
}

using Model = std::variant<Bpe, WordPieceModel>;

Model parse_model(const json::Value& model, const std::string& where, bool byte_level) {
  const json::Value* type = model.find("type");
  const std::string_view name = text_or(type, "BPE", where + ".type");
  if (name == "BPE") return Bpe::parse(model, where, byte_level);
  if (name == "WordPiece") return WordPieceModel::parse(model, where);
  fail(ErrorKind::data, where, "unknown type \"" + std::string(name) + "\"",
       "known: BPE, WordPiece");
}

}  // namespace

struct Tokenizer::Impl {
  Impl(const json::Value& root, const std::string& where);
  void parse_added(const json::Value& root, const std::string& where);
  void parse_config(std::string_view text, const std::string& where);
  void set_pieces();
  std::optional<int32_t> find(std::string_view token) const;
  void encode_stretch(std::string_view text, bool at_start, const std::function<void()>& poll,
                      std::vector<int32_t>& ids) const;
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const;
  void encode_part(std::string_view word, std::vector<int32_t>& ids) const;

  std::string json_, config_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  Model model_;
  Decoder decoder_;
  AddedTokenFinder added_, added_normalized_;
  TokenIds added_ids_;
  std::vector<std::string> tokens_;  // of each id, as the decoder reads it
  std::vector<std::string> pieces_;  // of each id, not at the beginning of a text
  std::vector<std::string> bytes_;   // of each id, if they differ from the piece
  std::vector<bool> special_;
  Surroundings around_;
  std::optional<int32_t> bos_, eos_;
  bool lines_apart_ = true;  // no added token reaches from one line into another
  uint64_t serial_ = 0;      // tells word caches whose ids they hold
};

Tokenizer::Impl::Impl(const json::Value& root, const std::string& where)
    : normalizer_(Normalizer::parse(member(root, "normalizer"), where + ": normalizer")),
      pre_tokenizer_(PreTokenizer::parse(member(root, "pre_tokenizer"), where + ": pre_tokenizer")),
      model_(parse_model(root.at("model", where), where + ": model", pre_tokenizer_.byte_level())),
      decoder_(Decoder::parse(member(root, "decoder"), where + ": decoder")) {
  static std::atomic<uint64_t> serials{0};
  serial_ = ++serials;
  std::visit([&](const auto& model) { tokens_ = model.tokens(); }, model_);
  parse_added(root, where);
  set_pieces();
  around_ = parse_post_processor(member(root, "post_processor"), where + ": post_processor",
                                 tokens_.size());
}

std::optional<int32_t> Tokenizer::Impl::find(std::string_view token) const {
  if (const auto at = added_ids_.find(token); at != added_ids_.end()) return at->second;
  const TokenIds& ids =
      std::visit([](const auto& model) -> const TokenIds& { return model.ids(); }, model_);
  const auto at = ids.find(token);
  return at == ids.end() ? std::nullopt : std::optional(at->second);
}

void Tokenizer::Impl::parse_added(const json::Value& root, const std::string& where) {
  const json::Value& list = member(root, "added_tokens");
  if (list.is_null()) return;
  for (const json::Value& item : list.as_array(where + ": added_tokens")) {
    AddedToken token = parse_added_token(
        item, where + ": added_tokens[" + std::to_string(added_ids_.size()) + "]");
    const auto id = static_cast<std::size_t>(token.id);
    const std::optional<int32_t> same = find(token.content);
    const bool taken = id < tokens_.size() && !tokens_[id].empty() && same != token.id;
    const bool twice = added_ids_.contains(token.content);
    if (taken || twice || (same && *same != token.id)) {
      fail(ErrorKind::data, where + ": added_tokens",
           "\"" + token.content + "\" with id " + std::to_string(id) +
               " contradicts the vocabulary or another added token",
           kDamaged);
    }
    added_ids_.emplace(token.content, token.id);
    if (special_.size() <= id) special_.resize(id + 1);
    special_[id] = token.special;
    if (tokens_.size() <= id) tokens_.resize(id + 1);
    if (token.normalized) token.content = normalizer_.apply(token.content);
    if (token.lstrip || token.content.find('\n') != std::string::npos) lines_apart_ = false;
    tokens_[id] = token.content;
    (token.normalized ? added_normalized_ : added_).add(token);
  }
}

/// bos_token and eos_token are strings or objects with "content", add_bos_token is a flag; the rest
/// is kept, not read.
void Tokenizer::Impl::parse_config(std::string_view text, const std::string& where) {
  if (text.empty()) return;
  config_ = text;
  const json::Value root = json::parse(text, where);
  const auto id_of = [&](std::string_view key) -> std::optional<int32_t> {
    const json::Value* value = root.find(key);
    const std::string here = where + ": " + std::string(key);
    if (value != nullptr && value->is_object()) value = &value->at("content", here);
    if (value == nullptr || value->is_null()) return std::nullopt;
    const std::string& token = value->as_string(here);
    if (const auto id = find(token)) return id;
    fail(ErrorKind::data, here, "\"" + token + "\" is not a token of tokenizer.json",
         "fetch both files from one place");
  };
  bos_ = id_of("bos_token");
  eos_ = id_of("eos_token");
  if (around_.before.empty() && bos_ && flag(root, "add_bos_token", false, where)) {
    around_.before = {*bos_};
  }
}

void Tokenizer::Impl::set_pieces() {
  std::size_t size = 0, pieces_size = 0;
  for (const std::string& token : tokens_) {
    pieces_.push_back(token.empty() ? token : decoder_.piece(token, /*first=*/false));
    size += token.size(), pieces_size += pieces_.back().size();
    check_growth(pieces_size, most_bytes(size));
    if (decoder_.byte_fallback()) bytes_.push_back(decoder_.bytes(pieces_.back()));
  }
  special_.resize(tokens_.size());
}

/// A word that no pre-tokenizer cut, a whole text even, falls into parts that merges never cross.
void Tokenizer::Impl::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  const Bpe* bpe = std::get_if<Bpe>(&model_);
  while (!word.empty()) {
    const std::size_t end = bpe == nullptr ? word.size() : bpe->part_end(word);
    encode_part(word.substr(0, end), ids);
    word.remove_prefix(end);
  }
}

void Tokenizer::Impl::encode_part(std::string_view word, std::vector<int32_t>& ids) const {
  thread_local WordCache cache;
  const auto encode = [&] {
    std::visit([&](const auto& model) { model.encode_word(word, ids); }, model_);
  };
  if (word.size() > WordCache::kMaxWordBytes) return encode();
  WordCache::Entry& entry = cache.entry(word, serial_);
  if (entry.bytes == word.size() && std::memcmp(entry.word, word.data(), word.size()) == 0) {
    ids.insert(ids.end(), entry.id, entry.id + entry.ids);
    return;
  }
  const std::size_t begin = ids.size();
  encode();
  const std::size_t count = ids.size() - begin;
  if (count > WordCache::kMaxIds) return;
  entry.bytes = static_cast<uint8_t>(word.size());
  entry.ids = static_cast<uint8_t>(count);
  std::memcpy(entry.word, word.data(), word.size());
  std::copy_n(ids.data() + begin, count, entry.id);
}

/// Text without tokens that stand for themselves before normalisation.
void Tokenizer::Impl::encode_stretch(std::string_view text, bool at_start,
                                     const std::function<void()>& poll,
                                     std::vector<int32_t>& ids) const {
  std::string normalized;
  if (!normalizer_.keeps(text)) {
    normalized = normalizer_.apply(text);
    text = normalized;
  }
  int64_t words = 0;
  const auto take = [&](std::string_view word) {
    if (poll && ++words % kWordsBetweenPolls == 0) poll();
    encode_word(word, ids);
  };
  added_normalized_.cut(
      text,
      [&](std::string_view stretch) {
        pre_tokenizer_.for_each_word(stretch, at_start && stretch.data() == text.data(), take);
      },
      [&](int32_t id) { ids.push_back(id); });
}

Tokenizer::Tokenizer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  const bool folder = std::filesystem::is_directory(path);
  const std::filesystem::path file = folder ? path / "tokenizer.json" : path;
  if (folder && !std::filesystem::exists(file)) {
    fail(ErrorKind::config, path.string(), "folder has no tokenizer.json",
         "a tokenizer.model or vocab.json must first be converted with "
         "AutoTokenizer.from_pretrained(…).save_pretrained(…)");
  }
  const std::filesystem::path config = file.parent_path() / "tokenizer_config.json";
  const bool has_config = std::filesystem::exists(config);
  return parse(read_file(file, kMaxTokenizerBytes), file.string(),
               has_config ? read_file(config, kMaxTokenizerBytes) : std::string());
}

Tokenizer Tokenizer::parse(std::string_view text, const std::string& where,
                           std::string_view config) {
  auto impl = std::make_unique<Impl>(
      json::parse(text, where, {.depth = 64, .bytes = kMaxTokenizerBytes}), where);
  impl->json_ = text;
  const std::filesystem::path folder = std::filesystem::path(where).parent_path();
  impl->parse_config(config, (folder / "tokenizer_config.json").string());
  return Tokenizer(std::move(impl));
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool special,
                                       const std::function<void()>& poll) const {
  if (const auto bad = find_invalid_utf8(text)) {
    fail(ErrorKind::data, "[data.tokenizer]",
         "text is not valid UTF-8 at byte " + std::to_string(*bad), "convert it to UTF-8");
  }
  std::vector<int32_t> ids;
  ids.reserve(text.size() / 3 + 8);
  if (special) ids = impl_->around_.before;
  impl_->added_.cut(
      text,
      [&](std::string_view stretch) {
        impl_->encode_stretch(stretch, stretch.data() == text.data(), poll, ids);
      },
      [&](int32_t id) { ids.push_back(id); });
  if (special) ids.insert(ids.end(), impl_->around_.after.begin(), impl_->around_.after.end());
  return ids;
}

std::size_t last_line_cut(std::string_view text) {
  const auto is_space_before = [&](std::size_t at) {
    do --at;
    while (at > 0 && (text[at] & 0xC0) == 0x80);
    return (classes_of(take_character(text, at)) & kSpace) != 0;
  };
  const auto is_letter = [&](std::size_t at) {
    return (classes_of(take_character(text, at)) & kLetter) != 0;
  };
  for (std::size_t at = text.rfind('\n'); at != text.npos && at > 0;
       at = text.rfind('\n', at - 1)) {
    if (at + 1 < text.size() && is_letter(at + 1) && !is_space_before(at)) return at + 1;
  }
  return 0;
}

std::size_t Tokenizer::last_cut(std::string_view text) const {
  const bool apart = impl_->lines_apart_ && impl_->normalizer_.keeps_lines_apart() &&
                     impl_->pre_tokenizer_.keeps_lines_apart();
  return apart && std::holds_alternative<Bpe>(impl_->model_) ? last_line_cut(text) : 0;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  Decoder::Pieces pieces;
  pieces.ends.reserve(ids.size());
  for (const int32_t id : ids) {
    if (id < 0 || id >= vocab_size() || (skip_special && is_special(id))) continue;
    const auto index = static_cast<std::size_t>(id);
    if (impl_->tokens_[index].empty()) continue;
    pieces.text += pieces.ends.empty() ? impl_->decoder_.piece(impl_->tokens_[index], true)
                                       : impl_->pieces_[index];
    pieces.ends.push_back(pieces.text.size());
  }
  return impl_->decoder_.decode(std::move(pieces));
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  if (id < 0 || id >= vocab_size()) return {};
  const auto& bytes = impl_->bytes_.empty() ? impl_->pieces_ : impl_->bytes_;
  return bytes[static_cast<std::size_t>(id)];
}

int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(impl_->tokens_.size()); }

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  return impl_->find(token);
}

bool Tokenizer::is_special(int32_t id) const {
  return id >= 0 && id < vocab_size() && impl_->special_[static_cast<std::size_t>(id)];
}

std::optional<int32_t> Tokenizer::bos_id() const { return impl_->bos_; }
std::optional<int32_t> Tokenizer::eos_id() const { return impl_->eos_; }
const std::vector<int32_t>& Tokenizer::prefix() const { return impl_->around_.before; }
const std::string& Tokenizer::json() const { return impl_->json_; }

const std::string& Tokenizer::config() const { return impl_->config_; }

void Tokenizer::save(const std::filesystem::path& folder) const {
  write_file_atomically(folder / "tokenizer.json", impl_->json_);
  if (!impl_->config_.empty()) {
    write_file_atomically(folder / "tokenizer_config.json", impl_->config_);
  }
}

}  // namespace cupel

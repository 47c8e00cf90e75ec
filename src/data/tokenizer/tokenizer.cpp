#include "data/tokenizer/tokenizer.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/rng.h"
#include "data/tokenizer/added_tokens.h"
#include "data/tokenizer/bpe.h"
#include "data/tokenizer/normalize.h"
#include "data/tokenizer/post_processor.h"
#include "data/tokenizer/pretokenize.h"
#include "data/utf8.h"

namespace cupel {

namespace {

constexpr int64_t kMaxFileBytes = int64_t{256} << 20;
constexpr const char* kDamaged = "the file is damaged; fetch it again";
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

bool flag(const json::Value& value, std::string_view key, const std::string& where) {
  const json::Value* member = value.find(key);
  return member != nullptr && member->as_bool(where + "." + std::string(key));
}

/// ByteLevel, or a Sequence of it: the only way back from byte-level tokens.
void check_decoder(const json::Value& value, const std::string& where) {
  const std::string_view type =
      value.is_object() ? text_or(value.find("type"), "null", where + ".type") : "null";
  if (type == "ByteLevel") return;
  if (type != "Sequence") {
    fail(ErrorKind::data, where, "unknown decoder \"" + std::string(type) + "\"",
         "known: ByteLevel");
  }
  for (const json::Value& item : value.at("decoders", where).as_array(where + ".decoders")) {
    check_decoder(item, where + ".decoders");
  }
}

}  // namespace

struct Tokenizer::Impl {
  void parse(const json::Value& root, const std::string& where);
  void parse_added(const json::Value& root, const std::string& where);
  void parse_config(std::string_view text, const std::string& where);
  void set_bytes();
  void encode_stretch(std::string_view text, const std::function<void()>& poll,
                      std::vector<int32_t>& ids) const;
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const;

  std::string json_, config_;
  Bpe bpe_;
  Normalizer normalizer_;
  PreTokenizer pre_tokenizer_;
  AddedTokenFinder added_, added_normalized_;
  std::unordered_map<std::string, int32_t> added_ids_;
  std::vector<std::string> bytes_;  // of each id
  std::vector<bool> special_;
  Surroundings around_;
  std::optional<int32_t> bos_, eos_;
  uint64_t serial_ = 0;  // tells word caches whose ids they hold
};

void Tokenizer::Impl::parse(const json::Value& root, const std::string& where) {
  static std::atomic<uint64_t> serials{0};
  serial_ = ++serials;
  const json::Value none;
  const auto member = [&](std::string_view key) -> const json::Value& {
    const json::Value* value = root.find(key);
    return value == nullptr ? none : *value;
  };
  const json::Value& model = root.at("model", where);
  const std::string_view type = text_or(model.find("type"), "BPE", where + ": model.type");
  if (type != "BPE") {
    fail(ErrorKind::data, where + ": model", "unknown type \"" + std::string(type) + "\"",
         "known: BPE");
  }
  bpe_ = Bpe::parse(model, where + ": model");
  normalizer_ = Normalizer::parse(member("normalizer"), where + ": normalizer");
  pre_tokenizer_ = PreTokenizer::parse(member("pre_tokenizer"), where + ": pre_tokenizer");
  check_decoder(member("decoder"), where + ": decoder");
  parse_added(root, where);
  set_bytes();
  around_ =
      parse_post_processor(member("post_processor"), where + ": post_processor", bytes_.size());
}

void Tokenizer::Impl::parse_added(const json::Value& root, const std::string& where) {
  const json::Value* list = root.find("added_tokens");
  if (list == nullptr || list->is_null()) return;
  std::unordered_map<int32_t, std::string> content_of;
  for (const json::Value& item : list->as_array(where + ": added_tokens")) {
    AddedToken token = parse_added_token(
        item, where + ": added_tokens[" + std::to_string(added_ids_.size()) + "]");
    const auto id = static_cast<std::size_t>(token.id);
    const auto& tokens = bpe_.tokens();
    const auto same = bpe_.ids().find(token.content);
    const bool taken = id < tokens.size() && !tokens[id].empty() && tokens[id] != token.content;
    const bool elsewhere = same != bpe_.ids().end() && same->second != token.id;
    if (taken || elsewhere || !content_of.emplace(token.id, token.content).second ||
        !added_ids_.emplace(token.content, token.id).second) {
      fail(ErrorKind::data, where + ": added_tokens",
           "\"" + token.content + "\" with id " + std::to_string(id) +
               " contradicts the vocabulary or another added token",
           kDamaged);
    }
    if (special_.size() <= id) special_.resize(id + 1);
    special_[id] = token.special;
    if (token.normalized) {
      token.content = normalizer_.apply(token.content);
      added_normalized_.add(token);
    } else {
      added_.add(token);
    }
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
    if (const auto at = added_ids_.find(token); at != added_ids_.end()) return at->second;
    if (const auto at = bpe_.ids().find(token); at != bpe_.ids().end()) return at->second;
    fail(ErrorKind::data, here, "\"" + token + "\" is not a token of tokenizer.json",
         "fetch both files from one place");
  };
  bos_ = id_of("bos_token");
  eos_ = id_of("eos_token");
  if (around_.before.empty() && bos_ && flag(root, "add_bos_token", where)) {
    around_.before = {*bos_};
  }
}

/// A token of the byte alphabet stands for bytes; any other (an added one) for its own text.
void Tokenizer::Impl::set_bytes() {
  bytes_ = bpe_.tokens();
  for (const auto& [content, id] : added_ids_) {
    const auto index = static_cast<std::size_t>(id);
    if (bytes_.size() <= index) bytes_.resize(index + 1);
    bytes_[index] = content;
  }
  for (std::string& token : bytes_) alphabet_to_bytes(token, token);
  special_.resize(bytes_.size());
}

void Tokenizer::Impl::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  thread_local WordCache cache;
  if (word.size() > WordCache::kMaxWordBytes) {
    bpe_.encode_word(word, ids);
    return;
  }
  WordCache::Entry& entry = cache.entry(word, serial_);
  if (entry.bytes == word.size() && std::memcmp(entry.word, word.data(), word.size()) == 0) {
    ids.insert(ids.end(), entry.id, entry.id + entry.ids);
    return;
  }
  const std::size_t begin = ids.size();
  bpe_.encode_word(word, ids);
  const std::size_t count = ids.size() - begin;
  if (count > WordCache::kMaxIds) return;
  entry.bytes = static_cast<uint8_t>(word.size());
  entry.ids = static_cast<uint8_t>(count);
  std::memcpy(entry.word, word.data(), word.size());
  std::copy_n(ids.data() + begin, count, entry.id);
}

/// Text without tokens that stand for themselves before normalisation.
void Tokenizer::Impl::encode_stretch(std::string_view text, const std::function<void()>& poll,
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
      text, [&](std::string_view stretch) { pre_tokenizer_.for_each_word(stretch, take); },
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
  return parse(read_file(file, kMaxFileBytes), file.string(),
               has_config ? read_file(config, kMaxFileBytes) : std::string());
}

Tokenizer Tokenizer::parse(std::string_view text, const std::string& where,
                           std::string_view config) {
  auto impl = std::make_unique<Impl>();
  impl->json_ = text;
  impl->parse(json::parse(text, where, {.depth = 64, .bytes = kMaxFileBytes}), where);
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
      text, [&](std::string_view stretch) { impl_->encode_stretch(stretch, poll, ids); },
      [&](int32_t id) { ids.push_back(id); });
  if (special) ids.insert(ids.end(), impl_->around_.after.begin(), impl_->around_.after.end());
  return ids;
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skip_special) const {
  std::string text;
  for (const int32_t id : ids) {
    if (!skip_special || !is_special(id)) text += token_bytes(id);
  }
  return replace_invalid_utf8(text);
}

std::string_view Tokenizer::token_bytes(int32_t id) const {
  return id >= 0 && id < vocab_size() ? impl_->bytes_[static_cast<std::size_t>(id)]
                                      : std::string_view();
}

int32_t Tokenizer::vocab_size() const { return static_cast<int32_t>(impl_->bytes_.size()); }

std::optional<int32_t> Tokenizer::token_to_id(std::string_view token) const {
  const std::string key(token);
  if (const auto at = impl_->added_ids_.find(key); at != impl_->added_ids_.end()) {
    return at->second;
  }
  const auto at = impl_->bpe_.ids().find(key);
  return at == impl_->bpe_.ids().end() ? std::nullopt : std::optional(at->second);
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

#include "data/tokenizer/bpe.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <bit>
#include <queue>
#include <utility>

#include "base/error.h"

namespace cupel {

namespace {

constexpr std::size_t kShortWord = 32;  // up to here searching a few ranks beats a heap
constexpr int32_t kAlphabetSize = 256 + 68;
constexpr const char* kDamaged = "the file is damaged; fetch it again";

/// The character of each byte: printable Latin-1 stands for itself, the rest follows U+0100.
std::array<int32_t, 256> make_alphabet() {
  std::array<int32_t, 256> characters{};
  int32_t next = 256;
  for (int32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    characters[static_cast<std::size_t>(byte)] = printable ? byte : next++;
  }
  return characters;
}

const std::array<int32_t, 256>& alphabet() {
  static const std::array<int32_t, 256> characters = make_alphabet();
  return characters;
}

/// The byte of each character, or -1.
const std::array<int, kAlphabetSize>& alphabet_bytes() {
  static const auto bytes = [] {
    std::array<int, kAlphabetSize> result{};
    result.fill(-1);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      result[static_cast<std::size_t>(alphabet()[byte])] = static_cast<int>(byte);
    }
    return result;
  }();
  return bytes;
}

uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

/// Fibonacci hashing of both halves mixed.
std::size_t slot_of(uint64_t pair, std::size_t mask) {
  pair ^= pair >> 29;
  return static_cast<std::size_t>(pair * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
}

bool flag(const json::Value& model, std::string_view key, const std::string& where) {
  const json::Value* value = model.find(key);
  return value != nullptr && !value->is_null() && value->as_bool(where + "." + std::string(key));
}

}  // namespace

std::string bytes_to_alphabet(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    utf8proc_uint8_t encoded[4];
    const auto size = utf8proc_encode_char(alphabet()[static_cast<unsigned char>(byte)], encoded);
    text.append(reinterpret_cast<const char*>(encoded), static_cast<std::size_t>(size));
  }
  return text;
}

bool alphabet_to_bytes(std::string_view text, std::string& out) {
  std::string bytes;
  while (!text.empty()) {
    int32_t character = 0;
    const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &character);
    if (size <= 0 || character >= kAlphabetSize) return false;
    const int byte = alphabet_bytes()[static_cast<std::size_t>(character)];
    if (byte < 0) return false;
    bytes.push_back(static_cast<char>(byte));
    text.remove_prefix(static_cast<std::size_t>(size));
  }
  out = std::move(bytes);
  return true;
}

Bpe Bpe::parse(const json::Value& model, const std::string& where) {
  Bpe bpe;
  bpe.parse_options(model, where);
  bpe.parse_vocabulary(model, where);
  bpe.parse_merges(model, where);
  return bpe;
}

void Bpe::parse_options(const json::Value& model, const std::string& where) {
  ignore_merges_ = flag(model, "ignore_merges", where);
  fuse_unknown_ = flag(model, "fuse_unk", where);
  if (flag(model, "byte_fallback", where)) {
    fail(ErrorKind::data, where + ".byte_fallback", "true is not supported",
         "this is a SentencePiece model; only byte-level BPE is known");
  }
  for (const std::string_view key :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const json::Value* value = model.find(key);
    if (value == nullptr || value->is_null() || *value == json::Value("")) continue;
    fail(ErrorKind::data, where + "." + std::string(key), json::dump(*value) + " is not supported",
         "only byte-level BPE is known");
  }
}

void Bpe::parse_vocabulary(const json::Value& model, const std::string& where) {
  Vocabulary vocabulary = Vocabulary::parse(model.at("vocab", where), where + ".vocab");
  tokens_ = std::move(vocabulary.tokens);
  ids_ = std::move(vocabulary.ids);
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const char text = static_cast<char>(byte);
    const auto at = ids_.find(bytes_to_alphabet({&text, 1}));
    byte_ids_[byte] = at == ids_.end() ? -1 : at->second;
  }
  if (ignore_merges_) {
    for (const auto& [token, id] : ids_) {
      std::string bytes;
      if (alphabet_to_bytes(token, bytes)) words_.emplace(std::move(bytes), id);
    }
  }
  const json::Value* unknown = model.find("unk_token");
  if (unknown == nullptr || unknown->is_null()) return;
  const auto at = ids_.find(unknown->as_string(where + ".unk_token"));
  if (at == ids_.end())
    fail(ErrorKind::data, where + ".unk_token", "is not in the vocabulary", kDamaged);
  unknown_id_ = at->second;
}

void Bpe::parse_merges(const json::Value& model, const std::string& where) {
  const json::Array& merges = model.at("merges", where).as_array(where + ".merges");
  merges_.resize(std::bit_ceil(2 * merges.size() + 1));
  int32_t rank = 0;
  for (const json::Value& merge : merges) {
    const std::string here = where + ".merges[" + std::to_string(rank) + "]";
    if (merge.is_string()) {  // the older spelling: "left right"
      const std::string& text = merge.as_string(here);
      const std::size_t space = text.find(' ');
      if (space == text.npos || text.find(' ', space + 1) != text.npos) {
        fail(ErrorKind::data, here, "expected two tokens, found \"" + text + "\"", kDamaged);
      }
      add_merge(text.substr(0, space), text.substr(space + 1), rank, here);
    } else {
      const json::Array& pair = merge.as_array(here);
      if (pair.size() != 2) fail(ErrorKind::data, here, "expected two tokens", kDamaged);
      add_merge(pair[0].as_string(here), pair[1].as_string(here), rank, here);
    }
    ++rank;
  }
}

/// Of a pair that stands twice the later rank counts, as in the reference implementation.
void Bpe::add_merge(std::string_view left, std::string_view right, int32_t rank,
                    const std::string& where) {
  const auto id_of = [&](const std::string& token) {
    const auto at = ids_.find(token);
    if (at == ids_.end()) {
      fail(ErrorKind::data, where, "token \"" + token + "\" is not in the vocabulary", kDamaged);
    }
    return at->second;
  };
  const std::string left_token(left), right_token(right);
  const uint64_t pair = pair_of(id_of(left_token), id_of(right_token));
  const std::size_t mask = merges_.size() - 1;
  std::size_t slot = slot_of(pair, mask);
  while (merges_[slot].pair != kNoPair && merges_[slot].pair != pair) slot = (slot + 1) & mask;
  merges_[slot] = {pair, rank, id_of(left_token + right_token)};
}

const Bpe::Merge* Bpe::find_merge(int32_t left, int32_t right) const {
  const uint64_t pair = pair_of(left, right);
  const std::size_t mask = merges_.size() - 1;
  for (std::size_t slot = slot_of(pair, mask);; slot = (slot + 1) & mask) {
    if (merges_[slot].pair == pair) return &merges_[slot];
    if (merges_[slot].pair == kNoPair) return nullptr;
  }
}

void Bpe::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  if (ignore_merges_) {
    const auto whole = words_.find(std::string(word));
    if (whole != words_.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  const std::size_t begin = ids.size();
  split_bytes(word, ids);
  if (ids.size() - begin <= kShortWord) {
    merge_short(ids, begin);
  } else {
    merge_long(ids, begin);
  }
}

void Bpe::split_bytes(std::string_view word, std::vector<int32_t>& ids) const {
  bool after_unknown = false;
  for (const char byte : word) {
    const auto value = static_cast<unsigned char>(byte);
    const int32_t id = byte_ids_[value];
    if (id >= 0) {
      ids.push_back(id);
    } else if (unknown_id_ < 0) {
      fail(ErrorKind::data, "[data.tokenizer]",
           "the vocabulary has no token for byte " + std::to_string(value),
           "use a tokenizer whose vocabulary holds all 256 bytes");
    } else if (!after_unknown || !fuse_unknown_) {
      ids.push_back(unknown_id_);
    }
    after_unknown = id < 0;
  }
}

void Bpe::merge_short(std::vector<int32_t>& ids, std::size_t begin) const {
  std::array<const Merge*, kShortWord> merges{};  // of each symbol with the next
  std::size_t count = ids.size() - begin;
  int32_t* symbols = ids.data() + begin;
  for (std::size_t i = 0; i + 1 < count; ++i) merges[i] = find_merge(symbols[i], symbols[i + 1]);
  while (count > 1) {
    std::size_t best = count;
    for (std::size_t i = 0; i + 1 < count; ++i) {
      if (merges[i] != nullptr && (best == count || merges[i]->rank < merges[best]->rank)) best = i;
    }
    if (best == count) break;
    symbols[best] = merges[best]->id;
    std::copy(symbols + best + 2, symbols + count, symbols + best + 1);
    std::copy(merges.data() + best + 1, merges.data() + count - 1, merges.data() + best);
    --count;
    if (best + 1 < count) merges[best] = find_merge(symbols[best], symbols[best + 1]);
    if (best > 0) merges[best - 1] = find_merge(symbols[best - 1], symbols[best]);
  }
  ids.resize(begin + count);
}

/// A heap of candidate merges over a linked list of symbols: n log n for a word of n bytes, and
/// about 24 bytes of memory for each, since a text without blanks is one word.
void Bpe::merge_long(std::vector<int32_t>& ids, std::size_t begin) const {
  struct Symbol {
    int32_t id, previous, next;
  };
  CUPEL_ASSERT(ids.size() - begin <= INT32_MAX);
  const auto count = static_cast<int32_t>(ids.size() - begin);
  std::vector<Symbol> symbols;
  symbols.reserve(static_cast<std::size_t>(count));
  for (int32_t i = 0; i < count; ++i) {
    symbols.push_back(
        {ids[begin + static_cast<std::size_t>(i)], i - 1, i + 1 < count ? i + 1 : -1});
  }
  const auto symbol = [&](int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  const auto merge_at = [&](int32_t left) -> const Merge* {
    if (left < 0 || symbol(left).id < 0 || symbol(left).next < 0) return nullptr;
    return find_merge(symbol(left).id, symbol(symbol(left).next).id);
  };
  using Candidate = std::pair<int32_t, int32_t>;  // rank, place
  std::vector<Candidate> room;
  room.reserve(static_cast<std::size_t>(count));
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue({}, std::move(room));
  const auto propose = [&](int32_t left) {
    if (const Merge* merge = merge_at(left)) queue.emplace(merge->rank, left);
  };
  for (int32_t i = 0; i + 1 < count; ++i) propose(i);
  while (!queue.empty()) {
    const auto [rank, left] = queue.top();
    queue.pop();
    const Merge* merge = merge_at(left);
    if (merge == nullptr || merge->rank != rank) continue;  // its symbols have changed since
    const int32_t right = symbol(left).next;
    symbol(left).id = merge->id;
    symbol(left).next = symbol(right).next;
    symbol(right).id = -1;
    if (symbol(left).next >= 0) symbol(symbol(left).next).previous = left;
    propose(symbol(left).previous);
    propose(left);
  }
  ids.resize(begin);
  for (int32_t i = 0; i >= 0; i = symbol(i).next) ids.push_back(symbol(i).id);
}

}  // namespace cupel

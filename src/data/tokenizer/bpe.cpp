#include "data/tokenizer/bpe.h"

#include <algorithm>
#include <array>
#include <bit>
#include <queue>
#include <utility>

#include "base/error.h"
#include "data/tokenizer/members.h"
#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

constexpr std::size_t kShortWord = 32;  // up to here searching a few ranks beats a heap

uint64_t pair_of(int32_t left, int32_t right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

/// Fibonacci hashing of both halves mixed.
std::size_t slot_of(uint64_t pair, std::size_t mask) {
  pair ^= pair >> 29;
  return static_cast<std::size_t>(pair * UINT64_C(0x9E3779B97F4A7C15) >> 32) & mask;
}

}  // namespace

Bpe Bpe::parse(const json::Value& model, const std::string& where, bool byte_level) {
  Bpe bpe;
  bpe.byte_level_ = byte_level;
  bpe.parse_options(model, where);
  bpe.parse_vocabulary(model, where);
  bpe.parse_merges(model, where);
  return bpe;
}

void Bpe::parse_options(const json::Value& model, const std::string& where) {
  ignore_merges_ = flag(model, "ignore_merges", false, where);
  fuse_unknown_ = flag(model, "fuse_unk", false, where);
  byte_fallback_ = !byte_level_ && flag(model, "byte_fallback", false, where);
  for (const std::string_view key :
       {"dropout", "continuing_subword_prefix", "end_of_word_suffix"}) {
    const json::Value* value = model.find(key);
    if (value == nullptr || value->is_null() || *value == json::Value("")) continue;
    fail(ErrorKind::data, where + "." + std::string(key), json::dump(*value) + " is not supported",
         "known: BPE without dropout, prefixes and suffixes");
  }
}

void Bpe::parse_vocabulary(const json::Value& model, const std::string& where) {
  Vocabulary vocabulary = Vocabulary::parse(model.at("vocab", where), where + ".vocab");
  tokens_ = std::move(vocabulary.tokens);
  ids_ = std::move(vocabulary.ids);
  set_symbols();
  const json::Value* unknown = model.find("unk_token");
  if (unknown == nullptr || unknown->is_null()) return;
  const auto at = ids_.find(unknown->as_string(where + ".unk_token"));
  if (at == ids_.end())
    fail(ErrorKind::data, where + ".unk_token", "is not in the vocabulary", kDamaged);
  unknown_id_ = at->second;
}

/// What a text is made of before any merge: bytes, or characters and the bytes of those that lack.
void Bpe::set_symbols() {
  const auto id_of = [&](std::string_view token) {
    const auto at = ids_.find(token);
    return at == ids_.end() ? -1 : at->second;
  };
  for (std::size_t i = 0; i < 256; ++i) {
    const char byte = static_cast<char>(i);
    byte_ids_[i] = id_of(byte_level_ ? bytes_to_alphabet({&byte, 1}) : token_of_byte(byte));
  }
  all_bytes_ = std::ranges::find(byte_ids_, -1) == std::end(byte_ids_);
  for (const auto& [token, id] : ids_) {
    std::string bytes;
    if (ignore_merges_ && byte_level_ && alphabet_to_bytes(token, bytes))
      words_.emplace(std::move(bytes), id);
    if (byte_level_) continue;
    std::size_t at = 0;
    const auto character = static_cast<std::size_t>(take_character(token, at));
    if (at != token.size()) continue;
    if (characters_.size() <= character) characters_.resize(character + 1, -1);
    characters_[character] = id;
  }
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
  add_junction(left, right);
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

/// Of characters: the last of what stands left of a merge, the first of what stands right. A text
/// is the same in one part or two where no merge joins such a pair. Other pairs may share a bit:
/// then a part is only longer.
std::size_t Bpe::junction(int32_t left, int32_t right) {
  const uint64_t mixed = pair_of(left, right) * UINT64_C(0x9E3779B97F4A7C15);
  return static_cast<std::size_t>(mixed >> (64 - kJunctionBits));
}

void Bpe::add_junction(std::string_view left, std::string_view right) {
  if (byte_level_) return;
  junctions_.resize(std::size_t{1} << kJunctionBits);
  std::size_t at = 0;
  const int32_t first = take_character(right, at);
  at = left.size();
  do {
    --at;
  } while (at > 0 && (left[at] & 0xC0) == 0x80);
  junctions_[junction(take_character(left, at), first)] = true;
  const auto is_other = [&](std::string_view token) {
    return byte_of_token(token) || ids_.find(token)->second == unknown_id_;
  };
  if (is_other(left) || is_other(right)) merges_others_ = true;
}

std::size_t Bpe::part_end(std::string_view text) const {
  if (byte_level_ || ignore_merges_ || merges_others_) return text.size();
  const bool whole = byte_fallback_ && all_bytes_;  // nothing is ever unknown
  int32_t left = -1;
  for (std::size_t at = 0, begin = 0; at < text.size(); begin = at) {
    const int32_t right = take_character(text, at);
    if (left >= 0 && (whole || (has_character(left) && has_character(right))) &&
        (junctions_.empty() || !junctions_[junction(left, right)]))
      return begin;
    left = right;
  }
  return text.size();
}

bool Bpe::has_character(int32_t character) const {
  const auto index = static_cast<std::size_t>(character);
  return index < characters_.size() && characters_[index] >= 0;
}

void Bpe::encode_word(std::string_view word, std::vector<int32_t>& ids) const {
  if (ignore_merges_) {
    const auto& words = byte_level_ ? words_ : ids_;
    const auto whole = words.find(word);
    if (whole != words.end()) {
      ids.push_back(whole->second);
      return;
    }
  }
  const std::size_t begin = ids.size();
  byte_level_ ? split_bytes(word, ids) : split_characters(word, ids);
  if (ids.size() - begin <= kShortWord) {
    merge_short(ids, begin);
  } else {
    merge_long(ids, begin);
  }
}

void Bpe::split_bytes(std::string_view word, std::vector<int32_t>& ids) const {
  if (all_bytes_) {
    for (const char byte : word) ids.push_back(byte_ids_[static_cast<unsigned char>(byte)]);
    return;
  }
  bool after_unknown = false;
  for (const char byte : word) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(byte)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (unknown_id_ < 0) {
      fail(ErrorKind::data, "[data.tokenizer]",
           "the vocabulary has no token for byte " +
               std::to_string(static_cast<unsigned char>(byte)),
           "use a tokenizer whose vocabulary holds all 256 bytes");
    } else if (!after_unknown || !fuse_unknown_) {
      ids.push_back(unknown_id_);
    }
    after_unknown = id < 0;
  }
}

/// An unknown token is added only before the next character of the vocabulary or another unknown
/// one, behind the bytes of characters between: so does the reference implementation.
void Bpe::split_characters(std::string_view word, std::vector<int32_t>& ids) const {
  bool unknown = false;  // one waits
  for (std::size_t at = 0, begin = 0; at < word.size(); begin = at) {
    const int32_t character = take_character(word, at);
    if (has_character(character)) {
      if (unknown) ids.push_back(unknown_id_);
      unknown = false;
      ids.push_back(characters_[static_cast<std::size_t>(character)]);
      continue;
    }
    const std::string_view bytes = word.substr(begin, at - begin);
    const auto id_of = [&](char byte) { return byte_ids_[static_cast<unsigned char>(byte)]; };
    if (byte_fallback_ && std::ranges::all_of(bytes, [&](char b) { return id_of(b) >= 0; })) {
      for (const char byte : bytes) ids.push_back(id_of(byte));
    } else if (unknown_id_ >= 0) {
      if (unknown && !fuse_unknown_) ids.push_back(unknown_id_);
      unknown = true;
    } else {
      fail(ErrorKind::data, "[data.tokenizer]",
           "the vocabulary has neither \"" + std::string(bytes) + "\" nor an unknown token",
           "use a tokenizer with byte_fallback or unk_token");
    }
  }
  if (unknown) ids.push_back(unknown_id_);
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

// Byte-pair encoding of one word: merges by rank over a vocabulary of byte strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

/// GPT-2's alphabet: each byte as a printable character, so that a vocabulary is text.
std::string bytes_to_alphabet(std::string_view bytes);
/// False, and `out` untouched, if a character is not of the alphabet.
bool alphabet_to_bytes(std::string_view text, std::string& out);

/// The "model" of a tokenizer.json of type BPE (Sennrich et al. 2016, over bytes as in GPT-2).
/// Left out: dropout, byte_fallback and subword prefixes or suffixes, which are errors.
class Bpe {
 public:
  static Bpe parse(const json::Value& model, const std::string& where);

  /// Appends the ids of one word of the pre-tokenizer. Throws Error{data} for a byte that the
  /// vocabulary lacks, where it names no unknown token.
  void encode_word(std::string_view word, std::vector<int32_t>& ids) const;

  /// By id, as the file spells them; an id that no token has is an empty string.
  const std::vector<std::string>& tokens() const { return tokens_; }
  const TokenIds& ids() const { return ids_; }

 private:
  struct Merge {
    uint64_t pair = kNoPair;  // left id << 32 | right id
    int32_t rank = 0;
    int32_t id = 0;
  };
  static constexpr uint64_t kNoPair = ~uint64_t{0};

  void parse_vocabulary(const json::Value& model, const std::string& where);
  void parse_merges(const json::Value& model, const std::string& where);
  void parse_options(const json::Value& model, const std::string& where);
  void add_merge(std::string_view left, std::string_view right, int32_t rank,
                 const std::string& where);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void split_bytes(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_short(std::vector<int32_t>& ids, std::size_t begin) const;
  void merge_long(std::vector<int32_t>& ids, std::size_t begin) const;

  std::vector<std::string> tokens_;
  TokenIds ids_;
  std::unordered_map<std::string, int32_t> words_;  // bytes → id, kept for ignore_merges
  int32_t byte_ids_[256];
  std::vector<Merge> merges_;  // open addressing; the size is a power of two
  bool ignore_merges_ = false;
  int32_t unknown_id_ = -1;
  bool fuse_unknown_ = false;
};

}  // namespace cupel

// Byte-pair encoding of one word: merges by rank over a vocabulary of byte strings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "data/tokenizer/byte_alphabet.h"
#include "data/tokenizer/vocabulary.h"

namespace cupel {

/// The "model" of a tokenizer.json of type BPE (Sennrich et al. 2016), over bytes as in GPT-2 or
/// over characters as in SentencePiece, where byte_fallback spells those that the vocabulary lacks.
/// Left out: dropout and subword prefixes or suffixes, which are errors.
class Bpe {
 public:
  /// `byte_level`: the vocabulary is spelled in the alphabet of bytes.
  static Bpe parse(const json::Value& model, const std::string& where, bool byte_level = true);

  /// The end of the first part of `text` that no merge crosses: parts may be encoded one by one. Of
  /// words over bytes all is one part.
  std::size_t part_end(std::string_view text) const;

  /// Appends the ids of one word of the pre-tokenizer. Throws Error{data} for a byte or character
  /// that the vocabulary lacks, where it names no unknown token.
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
  static constexpr int kJunctionBits = 20;

  void parse_vocabulary(const json::Value& model, const std::string& where);
  void parse_merges(const json::Value& model, const std::string& where);
  void parse_options(const json::Value& model, const std::string& where);
  void add_merge(std::string_view left, std::string_view right, int32_t rank,
                 const std::string& where);
  const Merge* find_merge(int32_t left, int32_t right) const;
  void set_symbols();
  static std::size_t junction(int32_t left, int32_t right);
  void add_junction(std::string_view left, std::string_view right);
  bool has_character(int32_t character) const;
  void split_characters(std::string_view word, std::vector<int32_t>& ids) const;
  void split_bytes(std::string_view word, std::vector<int32_t>& ids) const;
  void merge_short(std::vector<int32_t>& ids, std::size_t begin) const;
  void merge_long(std::vector<int32_t>& ids, std::size_t begin) const;

  std::vector<std::string> tokens_;
  TokenIds ids_;
  TokenIds words_;                   // bytes → id, kept for ignore_merges
  int32_t byte_ids_[256];            // the symbol of each byte, or -1
  std::vector<int32_t> characters_;  // the symbol of each character, or -1
  std::vector<bool> junctions_;      // pairs of characters that some merge joins, hashed
  std::vector<Merge> merges_;        // open addressing; the size is a power of two
  bool byte_level_ = true;
  bool byte_fallback_ = false;
  bool all_bytes_ = false;      // every byte has a symbol
  bool merges_others_ = false;  // a merge joins byte tokens or the unknown one
  bool ignore_merges_ = false;
  int32_t unknown_id_ = -1;
  bool fuse_unknown_ = false;
};

}  // namespace cupel

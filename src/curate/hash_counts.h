// How often each key was seen, where a key is the 64-bit hash of a word, a line or an n-gram.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace cupel::curate {

/// Of two words in order: a multiplication folded to 64 bits. Equal hashes are taken for equal
/// things; among a million different ones, one collision is expected in 40 million texts.
inline uint64_t combine_hashes(uint64_t a, uint64_t b) {
  uint64_t h = (std::rotl(a, 23) ^ b) * UINT64_C(0x9E3779B97F4A7C15);
  h ^= h >> 32;
  h *= UINT64_C(0xD6E8FEB86659FD93);
  return h ^ (h >> 29);
}

inline uint64_t hash_bytes(std::string_view bytes) {
  uint64_t hash = bytes.size();
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash = combine_hashes(hash, word);
  }
  uint64_t rest = 0;
  for (const char c : bytes) rest = rest << 8 | static_cast<unsigned char>(c);
  return combine_hashes(hash, rest);
}

/// Open addressing, never more than two thirds full, so each look-up is a short walk.
class HashCounts {
 public:
  /// Room for `keys` different keys, all counts 0.
  void reset(std::size_t keys) {
    const std::size_t slots = std::bit_ceil(keys + keys / 2 + 1);
    mask_ = slots - 1;
    slots_.assign(slots, {0, 0});
  }

  /// The slot of `key`, taken if it was not there; valid until reset().
  std::size_t slot(uint64_t key) {
    std::size_t at = key & mask_;
    while (slots_[at].count != 0 && slots_[at].key != key) at = (at + 1) & mask_;
    slots_[at].key = key;
    return at;
  }
  uint32_t& count(std::size_t slot) { return slots_[slot].count; }

  /// Counts `key` once more; whether it was there before.
  bool add(uint64_t key) { return count(slot(key))++ > 0; }

 private:
  struct Slot {
    uint64_t key;
    uint32_t count;
  };
  std::vector<Slot> slots_;
  std::size_t mask_ = 0;
};

}  // namespace cupel::curate

// How often each key was seen, where a key is the 64-bit hash of a word, a line or an n-gram.
#pragma once

#include <algorithm>
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

/// `size` bytes of `text` from `begin` on, but no more than eight; zeros follow fewer. Whole words
/// are read and cut where the text goes on: sizes of words are no pattern that a branch could
/// learn.
inline uint64_t low_bytes(std::string_view text, std::size_t begin, std::size_t size) {
  const bool goes_on = begin + 8 <= text.size();
  uint64_t word = 0;
  std::memcpy(&word, text.data() + begin, goes_on ? 8 : std::min<std::size_t>(size, 8));
  const std::size_t left_out = size < 8 ? 8 * (8 - size) : 0;
  return left_out < 64 ? word << left_out >> left_out : 0;
}

/// Of `size` bytes of `text` from `begin` on. Eight bytes at a time; the last ones overlap those
/// before them, and the size tells texts apart that would give the same words.
inline uint64_t hash_bytes_at(std::string_view text, std::size_t begin, std::size_t size) {
  if (size <= 8) return combine_hashes(size, low_bytes(text, begin, size));
  uint64_t hash = size;
  for (std::size_t at = 0; at + 8 < size; at += 8)
    hash = combine_hashes(hash, low_bytes(text, begin + at, 8));
  return combine_hashes(hash, low_bytes(text, begin + size - 8, 8));
}
inline uint64_t hash_bytes(std::string_view bytes) { return hash_bytes_at(bytes, 0, bytes.size()); }

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

// Minima of many permutations at once: some registers of permutations stay while the hashes pass.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"

namespace cupel {
namespace {

/// Of `registers` * kWords permutations.
template <int registers>
inline void minhash_block(const uint64_t* hashes, int64_t size, const uint64_t* factors,
                          const uint64_t* offsets, uint32_t* minima) {
  Words factor[registers], offset[registers], smallest[registers];
  for (int r = 0; r < registers; ++r) {
    factor[r] = load_words(factors + r * kWords);
    offset[r] = add_words(load_words(offsets + r * kWords), splat_word(kWordBias));
    smallest[r] = splat_word(UINT64_MAX + kWordBias);
  }
  for (int64_t j = 0; j < size; ++j) {
    const Words hash = splat_word(hashes[j]);
    for (int r = 0; r < registers; ++r)
      smallest[r] = min_words(smallest[r], add_words(multiply_words(factor[r], hash), offset[r]));
  }
  for (int r = 0; r < registers; ++r) {
    uint64_t words[kWords];
    store_words(words, add_words(smallest[r], splat_word(kWordBias)));
    for (int64_t i = 0; i < kWords; ++i)
      minima[r * kWords + i] = static_cast<uint32_t>(words[i] >> 32);
  }
}

void minhash(const uint64_t* hashes, int64_t size, const uint64_t* factors, const uint64_t* offsets,
             uint32_t* minima, int64_t count) {
  constexpr int kRegisters = 4;
  int64_t at = 0;
  for (; at + kRegisters * kWords <= count; at += kRegisters * kWords)
    minhash_block<kRegisters>(hashes, size, factors + at, offsets + at, minima + at);
  for (; at + kWords <= count; at += kWords)
    minhash_block<1>(hashes, size, factors + at, offsets + at, minima + at);
  if (at == count) return;
  uint64_t last_factors[kWords] = {}, last_offsets[kWords] = {};
  uint32_t last_minima[kWords];
  for (int64_t i = at; i < count; ++i) {
    last_factors[i - at] = factors[i];
    last_offsets[i - at] = offsets[i];
  }
  minhash_block<1>(hashes, size, last_factors, last_offsets, last_minima);
  for (int64_t i = at; i < count; ++i) minima[i] = last_minima[i - at];
}

}  // namespace
}  // namespace cupel

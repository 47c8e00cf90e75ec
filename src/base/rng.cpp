#include "base/rng.h"

#include <cmath>
#include <numbers>

#include "base/error.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace cupel {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

uint64_t hash64(std::string_view text, uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

Rng::Rng(uint64_t seed, std::string_view purpose, uint64_t index)
    : key_(hash64(purpose, seed)), index_(index) {}

uint32_t Rng::next_u32() {
  if (counter_ % 4 == 0 || !filled_) refill();
  return block_[counter_++ % 4];
}

uint64_t Rng::next_u64() {
  const uint64_t low = next_u32();
  return low | uint64_t{next_u32()} << 32;
}

double Rng::uniform() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

// Lemire 2019: a multiplication instead of a division, rejection keeps it unbiased.
uint64_t Rng::below(uint64_t bound) {
  CUPEL_ASSERT(bound > 0);
  const uint64_t threshold = (0 - bound) % bound;
  while (true) {
    const auto product = static_cast<unsigned __int128>(next_u64()) * bound;
    if (static_cast<uint64_t>(product) >= threshold) return static_cast<uint64_t>(product >> 64);
  }
}

double Rng::normal() {
  const double u = 1 - uniform();  // (0, 1]: the logarithm is finite
  const double v = uniform();
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

void Rng::seek(uint64_t position) {
  counter_ = position;
  filled_ = false;
}

void Rng::refill() {
  const uint64_t block = counter_ / 4;
  block_ = philox4x32({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                       static_cast<uint32_t>(index_), static_cast<uint32_t>(index_ >> 32)},
                      {static_cast<uint32_t>(key_), static_cast<uint32_t>(key_ >> 32)});
  filled_ = true;
}

}  // namespace cupel

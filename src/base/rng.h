// Counter-based random numbers: a named stream a purpose, so that adding one use never shifts
// another.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace cupel {

/// The block function of Philox4x32-10 (Salmon et al. 2011): ten rounds, one block of 128 bits.
std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// A stream of Philox blocks: the key comes from seed and purpose, the counter from index and
/// position, so a stream is saved as its position alone. Normals go through libm's log and cos.
class Rng {
 public:
  Rng(uint64_t seed, std::string_view purpose, uint64_t index = 0);

  uint32_t next_u32();
  uint64_t next_u64();
  double uniform();                // [0, 1), 53 bits
  uint64_t below(uint64_t bound);  // [0, bound), unbiased; bound > 0
  double normal();                 // Box-Muller, one value a pair of uniforms
  uint64_t position() const { return counter_; }
  void seek(uint64_t position);

  /// Fisher-Yates with below().
  template <class Container>
  void shuffle(Container& items) {
    for (uint64_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  void refill();
  uint64_t key_, index_, counter_ = 0;  // counter_ counts 32-bit words handed out
  std::array<uint32_t, 4> block_{};
  bool filled_ = false;
};

/// xxh3-64 of the text: stable across machines.
uint64_t hash64(std::string_view text, uint64_t seed = 0);

}  // namespace cupel

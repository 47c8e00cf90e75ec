// cb4: weights as 4-bit codes of 16 fixed values, one binary16 scale a group; byte for byte GGUF's
// IQ4_NL.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/view.h"

namespace cupel::cb4 {

// A block holds 32 neighbours of a row in 18 bytes: the scale, little-endian, then 16 bytes whose
// low nibbles are the codes of items 0 to 15 and whose high ones those of 16 to 31. An item is
// scale * kValues[code], exact in fp32; dequantise(GgufType::iq4_nl, …) reads blocks. A group is
// one block or several that carry the same scale (which packed kernels keep once), so every profile
// is IQ4_NL. Signal to noise on Gaussian weights: 22.7 dB in groups of 32, 21.8 of 64, 21.2 of
// 128, 20.7 of 256.
inline constexpr int64_t kBlock = 32, kBlockBytes = 18;
inline constexpr std::array<int8_t, 16> kValues{-127, -104, -83, -65, -49, -35, -22, -10,
                                                1,    13,   25,  38,  53,  69,  89,  113};

/// Bytes of a row of `cols` items, whole blocks.
constexpr int64_t row_bytes(int64_t cols) { return cols / kBlock * kBlockBytes; }

/// The code whose value is nearest to y, a finite number or an infinity; the upper one of two.
uint8_t nearest(float y);

/// The scale of a group. One a thread: it keeps its working memory from call to call.
class ScaleSearch {
 public:
  /// The bits of the binary16 scale d, of either sign, with the least error
  ///   sum over i of importance[i] * (x[i] - d * kValues[the nearest code])²
  /// for `count` finite numbers. importance: finite, not negative, or null for 1 everywhere; if it
  /// is 0 everywhere, so is what it means, and 1 is taken. x must be within largest_weight().
  ///
  /// Every binary16 number is tried from max|x| / 64 down to where clipping the largest weights
  /// alone costs more than a first guess does in all (and not below max|x| / 8128), max over items
  /// that have importance. As d falls, x / d passes the midpoints of the values one by one; each
  /// passing changes two sums, from which the error of a scale follows, so that one sweep over the
  /// numbers sees them all: no scale of the range is better. It replaces the grid of
  /// quantize_row_iq4_nl_impl in ggml, which has 15 scales for the extremum as -127, refits each by
  /// least squares and rounds the best.
  uint16_t best(const float* x, const float* importance, int64_t count);

 private:
  /// For a scale as it is and for it negated: what g++ and clang take for a register.
  typedef double Pair __attribute__((vector_size(16)));
  /// What changes in sum(importance * x * value) and sum(importance * value²) at a scale.
  struct Step {
    Pair product{}, square{};
  };
  void add_steps(float x, double importance, int64_t low, int64_t high);

  std::vector<Step> steps_;  // of consecutive binary16 numbers; zeros between calls
};

/// The largest magnitude a group can have: 127 times the largest binary16.
constexpr float largest_weight() { return 127.0f * 65504.0f; }

/// 32 codes as a block.
void write_block(uint16_t scale, const uint8_t* codes, std::byte* block);
/// `count` items, whole blocks, each as its nearest code for one scale (±0: every item becomes 0).
void encode(const float* x, int64_t count, uint16_t scale, std::byte* blocks);

/// Error{data} naming `where`, row and column of the first item that is no finite number or beyond
/// largest_weight().
void check_weights(View<const float> weights, const std::string& where);

/// Each row of weights[n,k] as n * row_bytes(k) bytes: the best scale a group, then nearest codes.
/// importance: one a column (the mean square of the activation it multiplies), or empty for 1
/// everywhere. group: a multiple of 32 that divides k. Same bytes for any number of threads.
/// Error{data} of check_weights(); Error{numeric} for an importance that is negative or not finite.
void quantise(View<const float> weights, std::span<const float> importance, int64_t group,
              std::byte* blocks, ThreadPool& pool, const std::string& where);

}  // namespace cupel::cb4

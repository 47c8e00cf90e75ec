#include "curate/shingles.h"

#include <algorithm>
#include <bit>
#include <cstddef>

#include "base/error.h"
#include "base/rng.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

constexpr uint64_t kRadix = 0x9fb21c651e98df25;  // odd, without a pattern

/// Steele, Lea and Flood 2014 (splitmix64): a permutation of the words whose every bit depends on
/// every bit.
constexpr uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

constexpr uint64_t hash_of_character(char32_t character) {
  return mix(character + 0x9e3779b97f4a7c15);
}

constexpr auto kAsciiHashes = [] {
  std::array<uint64_t, 128> hashes{};
  for (char32_t c = 0; c < hashes.size(); ++c) hashes[c] = hash_of_character(c);
  return hashes;
}();

void append_characters(std::string_view text, std::vector<uint64_t>& units) {
  units.resize(text.size());  // at most one a byte
  std::size_t count = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x80) {
      units[count++] = kAsciiHashes[byte];
      ++at;
    } else {
      units[count++] = hash_of_character(next_character(text, at));
    }
  }
  units.resize(count);
}

void append_words(std::string_view text, std::vector<uint64_t>& units) {
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(text, at)).empty();) units.push_back(hash64(word));
}

/// Rolls a polynomial over windows of `ngram` units and overwrites `units` by the windows' hashes.
void roll(std::vector<uint64_t>& units, std::size_t ngram) {
  uint64_t leaving = 1;  // kRadix^ngram: the weight of a unit that leaves the window
  for (std::size_t i = 0; i < ngram; ++i) leaving *= kRadix;
  uint64_t window = 0;
  for (std::size_t i = 0; i < std::min(ngram, units.size()); ++i)
    window = window * kRadix + units[i];
  if (units.size() <= ngram) {
    units.assign(1, mix(window));
    return;
  }
  const std::size_t windows = units.size() - ngram + 1;
  for (std::size_t i = 0; i + 1 < windows; ++i) {
    const uint64_t first = units[i];
    units[i] = mix(window);
    window = window * kRadix + units[i + ngram] - first * leaving;
  }
  units[windows - 1] = mix(window);
  units.resize(windows);
}

/// For values that are nearly in order.
void insertion_sort(std::vector<uint64_t>& values) {
  for (std::size_t at = 1; at < values.size(); ++at) {
    const uint64_t value = values[at];
    std::size_t hole = at;
    for (; hole > 0 && values[hole - 1] > value; --hole) values[hole] = values[hole - 1];
    values[hole] = value;
  }
}

/// Ascending values, each once. They are spread evenly, so one pass that puts each among those of
/// the same upper bits leaves next to nothing to sort.
std::vector<uint64_t> sorted_distinct(const std::vector<uint64_t>& values) {
  constexpr std::size_t kMostParts = 1 << 12;
  constexpr uint32_t kFew = 24;  // values of a part; many are the copies of a text that repeats
  const std::size_t parts = std::clamp<std::size_t>(std::bit_ceil(values.size()), 2, kMostParts);
  const int shift = 64 - std::countr_zero(parts);
  std::vector<uint32_t> ends(parts + 1);
  for (const uint64_t value : values) ++ends[(value >> shift) + 1];
  uint32_t most = 0;
  for (std::size_t i = 1; i <= parts; ++i) {
    most = std::max(most, ends[i]);
    ends[i] += ends[i - 1];
  }
  std::vector<uint64_t> sorted(values.size());
  for (const uint64_t value : values) sorted[ends[value >> shift]++] = value;
  if (most <= kFew) {
    insertion_sort(sorted);
  } else {
    for (std::size_t i = 0, begin = 0; i < parts; begin = ends[i++])
      std::sort(sorted.data() + begin, sorted.data() + ends[i]);
  }
  std::size_t distinct = 1;
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    sorted[distinct] = sorted[i];
    distinct += sorted[distinct] != sorted[distinct - 1];
  }
  sorted.resize(distinct);
  return sorted;
}

/// |a ∩ b| from `at_a`, `at_b` on, for at most `steps` steps of the merge.
int64_t merge(std::span<const uint64_t> a, std::span<const uint64_t> b, std::size_t& at_a,
              std::size_t& at_b, std::size_t steps) {
  int64_t common = 0;
  for (; steps > 0 && at_a < a.size() && at_b < b.size(); --steps) {
    const uint64_t x = a[at_a], y = b[at_b];
    at_a += x <= y;  // arithmetic instead of branches that nobody could predict
    at_b += y <= x;
    common += x == y;
  }
  return common;
}

double ratio(int64_t common, int64_t total) {
  return static_cast<double>(common) / static_cast<double>(total - common);
}

/// The smallest intersection of sets of `total` elements together whose ratio is at least `least`.
int64_t needed_in_common(int64_t total, double least) {
  auto needed = static_cast<int64_t>(least / (1 + least) * static_cast<double>(total)) - 1;
  needed = std::max<int64_t>(needed, 0);
  while (ratio(needed, total) < least) ++needed;
  return needed;
}

}  // namespace

std::vector<uint64_t> shingles(std::string_view text, int ngram, NgramUnit unit) {
  CUPEL_ASSERT(ngram > 0);
  std::vector<uint64_t> units;
  if (unit == NgramUnit::word) append_words(text, units);
  if (units.empty()) append_characters(text, units);
  roll(units, static_cast<std::size_t>(ngram));
  return sorted_distinct(units);
}

double jaccard(std::span<const uint64_t> a, std::span<const uint64_t> b) {
  if (a.empty() && b.empty()) return 1;
  std::size_t at_a = 0, at_b = 0;
  const int64_t common = merge(a, b, at_a, at_b, a.size() + b.size());
  return ratio(common, static_cast<int64_t>(a.size() + b.size()));
}

double jaccard_if_at_least(std::span<const uint64_t> a, std::span<const uint64_t> b, double least) {
  if (a.empty() && b.empty()) return 1;
  constexpr std::size_t kSteps = 64;  // between two looks at whether it can still be reached
  const auto total = static_cast<int64_t>(a.size() + b.size());
  const int64_t needed = needed_in_common(total, least);
  std::size_t at_a = 0, at_b = 0;
  int64_t common = 0;
  while (true) {
    const auto left = static_cast<int64_t>(std::min(a.size() - at_a, b.size() - at_b));
    if (common + left < needed) return 0;
    if (left == 0) return ratio(common, total);
    common += merge(a, b, at_a, at_b, kSteps);
  }
}

}  // namespace cupel::curate

// Documents that share a key, found by sorting within a memory limit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/hash.h"

namespace cupel::curate {

template <class Key>
struct KeyOf {
  Key key;
  uint32_t document;
};

constexpr uint64_t upper_bits(uint64_t key) { return key; }
constexpr uint64_t upper_bits(const Hash128& key) { return key.high; }

/// Calls visit(span of KeyOf<Key>) once for each key that two documents or more share, documents
/// ascending, keys ascending. scan(take) calls take(uint32_t document, key) for all documents,
/// ascending; it is called once to count keys by their upper bits, and once for each range of keys
/// that `capacity` pairs hold. Keys are hashes; those with the same upper 12 bits are held together
/// even if they are more than `capacity`.
template <class Key, class Scan, class Visit>
void for_each_group(const Scan& scan, int64_t capacity, const Visit& visit) {
  constexpr int kShift = 64 - 12;
  constexpr std::size_t kParts = std::size_t{1} << 12;
  const auto part_of = [](const Key& key) {
    return static_cast<std::size_t>(upper_bits(key) >> kShift);
  };
  std::vector<int64_t> count(kParts);
  scan([&](uint32_t, const Key& key) { ++count[part_of(key)]; });
  std::vector<KeyOf<Key>> pairs;
  std::vector<int64_t> end(kParts);
  for (std::size_t first = 0, last; first < kParts; first = last) {
    int64_t size = 0;
    for (last = first; last < kParts && (last == first || size + count[last] <= capacity); ++last) {
      end[last] = size;  // where the part begins; moves to its end as it is filled
      size += count[last];
    }
    if (size < 2) continue;
    pairs.resize(static_cast<std::size_t>(size));
    scan([&](uint32_t document, const Key& key) {
      const std::size_t part = part_of(key);
      if (part < first || part >= last) return;
      pairs[static_cast<std::size_t>(end[part]++)] = {key, document};
    });
    auto begin = pairs.begin();
    for (std::size_t part = first; part < last; ++part) {
      const auto stop = pairs.begin() + end[part];
      std::sort(begin, stop, [](const KeyOf<Key>& a, const KeyOf<Key>& b) {
        return a.key != b.key ? a.key < b.key : a.document < b.document;
      });
      while (begin != stop) {
        const auto next = std::find_if(
            begin, stop, [&](const KeyOf<Key>& each) { return each.key != begin->key; });
        if (next - begin > 1) visit(std::span<const KeyOf<Key>>(begin, next));
        begin = next;
      }
    }
  }
}

}  // namespace cupel::curate

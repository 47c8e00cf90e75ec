// Exact duplicates: texts whose normal forms have the same 128-bit hash.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace cupel::curate {

struct Hash128 {
  uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};

/// xxh3-64 under two random seeds. Among 10^9 texts the chance that any two different ones meet is
/// below 2e-21.
Hash128 hash128(std::string_view text);

struct Duplicate {
  int64_t document = 0, kept = 0;
  double similarity = 1;
  bool exact = true;
};

/// Of texts that are equal the first stays. 24 bytes a text, in memory.
class ExactDuplicates {
 public:
  /// In order. One that `stays` is kept whatever came before it: it is of an earlier corpus.
  void add(int64_t document, Hash128 normal_form, bool stays);
  /// By document. Called once.
  std::vector<Duplicate> find();

 private:
  struct Entry {
    Hash128 hash;
    int64_t document;
  };
  std::vector<Entry> entries_;
  int64_t first_of_input_ = INT64_MAX;
};

}  // namespace cupel::curate

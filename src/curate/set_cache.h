// Recently used shingle sets, within a memory limit.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

namespace cupel::curate {

/// Two generations: when the younger is full it becomes the older, and what was old goes. Only
/// speed depends on what is found.
class SetCache {
 public:
  using Set = std::vector<uint64_t>;

  /// Of each generation, from the next put() on.
  void set_generation_bytes(int64_t bytes) { generation_bytes_ = bytes; }
  int64_t generation_bytes() const { return generation_bytes_; }

  /// Null if it is not here. Safe beside other calls of find(); put() and renew() need to be alone
  /// and end the life of what was found.
  const Set* find(uint32_t document) const;
  void put(uint32_t document, Set set);
  /// Puts a set that was used among the younger ones.
  void renew(uint32_t document);
  static int64_t bytes_of(const Set& set);

 private:
  int64_t generation_bytes_ = 0, young_bytes_ = 0;
  std::unordered_map<uint32_t, Set> young_, old_;
};

}  // namespace cupel::curate

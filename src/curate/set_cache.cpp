#include "curate/set_cache.h"

#include <utility>

namespace cupel::curate {

int64_t SetCache::bytes_of(const Set& set) {
  constexpr int64_t kNode = 80;  // hash table's node and bucket, allocator's headers
  return static_cast<int64_t>(set.capacity() * sizeof(uint64_t)) + kNode;
}

const SetCache::Set* SetCache::find(uint32_t document) const {
  for (const auto* generation : {&young_, &old_}) {
    const auto at = generation->find(document);
    if (at != generation->end()) return &at->second;
  }
  return nullptr;
}

void SetCache::put(uint32_t document, Set set) {
  const int64_t bytes = bytes_of(set);
  if (bytes > generation_bytes_) return;
  if (young_bytes_ + bytes > generation_bytes_) {
    old_ = std::exchange(young_, {});
    young_bytes_ = 0;
  }
  if (young_.emplace(document, std::move(set)).second) young_bytes_ += bytes;
}

void SetCache::renew(uint32_t document) {
  const auto at = old_.find(document);
  if (at == old_.end()) return;
  Set set = std::move(at->second);
  old_.erase(at);
  put(document, std::move(set));
}

}  // namespace cupel::curate

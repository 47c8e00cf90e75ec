#include "data/tokenizer/shorten.h"

#include <algorithm>

namespace cupel {

std::vector<int32_t> shortened(const Tokenizer& tokenizer, std::string_view text,
                               std::vector<int32_t> ids, int64_t most,
                               const std::function<void()>& poll) {
  const auto excess = static_cast<int64_t>(ids.size()) - most;
  if (excess <= 0) return ids;
  const std::vector<int32_t> bare = tokenizer.encode(text, false, poll);
  const auto found = std::search(ids.begin(), ids.end(), bare.begin(), bare.end());
  const auto inside = static_cast<int64_t>(bare.size());
  if (found == ids.end() || inside < excess) {
    ids.resize(static_cast<std::size_t>(most));
    return ids;
  }
  ids.erase(found + (inside - excess), found + inside);
  return ids;
}

}  // namespace cupel

#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace cupel {

Hash128 hash128(std::string_view text) {
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return {hash.high64, hash.low64};
}

}  // namespace cupel

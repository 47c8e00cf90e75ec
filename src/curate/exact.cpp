#include "curate/exact.h"

#include <algorithm>
#include <tuple>

#include "base/rng.h"

namespace cupel::curate {

Hash128 hash128(std::string_view text) { return {hash64(text), hash64(text, 0x9e3779b97f4a7c15)}; }

void ExactDuplicates::add(int64_t document, Hash128 normal_form, bool stays) {
  if (!stays) first_of_input_ = std::min(first_of_input_, document);
  entries_.push_back({normal_form, document});
}

std::vector<Duplicate> ExactDuplicates::find() {
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.hash, a.document) < std::tie(b.hash, b.document);
  });
  std::vector<Duplicate> found;
  int64_t kept = -1;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (i == 0 || entries_[i - 1].hash != entry.hash) {
      kept = entry.document;
    } else if (entry.document >= first_of_input_) {
      found.push_back({entry.document, kept, 1, true});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Duplicate& a, const Duplicate& b) { return a.document < b.document; });
  return found;
}

}  // namespace cupel::curate

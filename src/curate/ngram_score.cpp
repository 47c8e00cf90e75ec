#include "curate/ngram_score.h"

#include <cmath>
#include <functional>
#include <string>

#include "base/rng.h"
#include "curate/weight.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

/// Buckets of the text's words and of its pairs of neighbours.
template <class Visit>
void for_each_bucket(std::string_view text, const Visit& visit) {
  const std::string form = normal_form(text);
  uint64_t before = 0;  // hash of the word before
  std::size_t at = 0;
  for (std::string_view word; !(word = next_word(form, at)).empty();) {
    const uint64_t hash = hash64(word);
    visit(hash % NgramScore::kBuckets);
    if (before != 0) visit(hash64(word, before) % NgramScore::kBuckets);
    before = hash;
  }
}

struct Counts {
  std::vector<int64_t> of = std::vector<int64_t>(NgramScore::kBuckets);
  int64_t total = 0;

  explicit Counts(std::span<const std::string_view> texts) {
    for (const std::string_view text : texts)
      for_each_bucket(text, [&](uint64_t bucket) { ++of[bucket], ++total; });
  }
};

}  // namespace

NgramScore::NgramScore(std::span<const std::string_view> reference,
                       std::span<const std::string_view> background)
    : weights_(kBuckets) {
  const Counts in(reference), out(background);
  int64_t used = 0;
  for (uint32_t b = 0; b < kBuckets; ++b) used += in.of[b] + out.of[b] > 0 ? 1 : 0;
  const double prior = kPrior * static_cast<double>(used);
  const auto share = [&](const Counts& counts, uint32_t b) {
    return (static_cast<double>(counts.of[b]) + kPrior) /
           (static_cast<double>(counts.total) + prior);
  };
  // What neither has seen says nothing.
  for (uint32_t b = 0; b < kBuckets; ++b)
    if (in.of[b] + out.of[b] > 0) weights_[b] = log_weight(share(in, b) / share(out, b));
}

double NgramScore::score(std::string_view text) const {
  int64_t sum = 0, count = 0;
  for_each_bucket(text, [&](uint64_t bucket) { sum += weights_[bucket], ++count; });
  return mean_weight(sum, count);
}

}  // namespace cupel::curate

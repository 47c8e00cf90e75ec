// How much more a text looks like reference than like background, by its hashed n-grams.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace cupel::curate {

/// Importance weights over hashed n-grams (DSIR: Xie et al. 2023): two bags of words and of pairs
/// of neighbouring words, in kBuckets buckets; a text's score is the mean over its n-grams of ln
/// p(n-gram | reference) - ln p(n-gram | background). The mean, not the paper's sum, so that long
/// and short texts compare; each bucket has kPrior counts beforehand, where the paper has none.
class NgramScore {
 public:
  static constexpr uint32_t kBuckets = 1 << 18;
  static constexpr double kPrior = 0.1;

  NgramScore(std::span<const std::string_view> reference,
             std::span<const std::string_view> background);

  /// Nats an n-gram; 0 for a text without words.
  double score(std::string_view text) const;

 private:
  std::vector<int32_t> weights_;  // a bucket each, see log_weight()
};

}  // namespace cupel::curate

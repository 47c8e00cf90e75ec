// From the scores of two kinds of things to the probability of being one of them.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace cupel {

/// What a mixture of two kinds seems to be made of.
enum class Mixture { both, positives_alone, negatives_alone };

struct Balance {
  double share = 0.5;  // of positives, in (0, 1)
  int64_t examples = 0;
  Mixture mixture = Mixture::both;
  bool operator==(const Balance&) const = default;
};

/// Isotonic regression (Barlow et al. 1972) of kind on score by pooling adjacent violators: the
/// probability of being a positive, which never falls as the score rises. Both kinds weigh the same
/// in all, however many there are of each; what share of positives is expected is said when asking.
/// Equal scores are one step. Each step also gets the weight of one average example, half of it
/// positive, so that a step without negatives does not claim certainty; what is then out of order
/// is pooled once more. Between two steps the probability is interpolated.
class Calibration {
 public:
  struct Step {
    double low = 0, high = 0;  // scores of its ends
    int64_t positives = 0, negatives = 0;
    double probability = 0;  // where as many positives as negatives are expected
    bool operator==(const Step&) const = default;
  };

  /// Finite scores of examples that the scores were not fitted on; at least one of each kind
  /// (otherwise Error{bug}).
  Calibration(std::span<const double> positives, std::span<const double> negatives);

  /// In (0, 1). `balance` in (0, 1) is the share of positives before the score is known.
  double probability(double score, double balance = 0.5) const;
  /// The share of positives among `scores` that is most likely given their probabilities: the
  /// expectation maximisation of Saerens, Latinne and Decaestecker (2002). n scores that all speak
  /// for one kind make its share (n + 1) / (n + 2), Laplace's rule of succession, and not 1, at
  /// which no further score could speak against it.
  Balance estimate_balance(std::span<const double> scores) const;
  /// The same of scores that need not be in memory: scan(take) calls take(some of them) until all
  /// are told, in the same order each time; it is called once a round, some tens of times.
  using Take = std::function<void(std::span<const double>)>;
  Balance estimate_balance_in_parts(const std::function<void(const Take&)>& scan) const;

  std::span<const Step> steps() const { return steps_; }

 private:
  std::vector<Step> steps_;  // from low to high
};

/// Area under the ROC curve: the chance that a positive scores above a negative, ties counted half.
/// Neither may be empty.
double area_under_curve(std::span<const double> positives, std::span<const double> negatives);

/// Mean distance between probability and what came true over ten bins of [0, 1], by weight: both
/// kinds weigh the same in all (Naeini, Cooper and Hauskrecht 2015).
double calibration_error(std::span<const double> positives, std::span<const double> negatives);

}  // namespace cupel

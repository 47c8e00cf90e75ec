#include "base/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"

namespace cupel {
namespace {

struct Example {
  double score;
  bool positive;
};

/// Both kinds, from the lowest score up.
std::vector<Example> sorted(std::span<const double> positives, std::span<const double> negatives) {
  CUPEL_ASSERT(!positives.empty() && !negatives.empty());
  std::vector<Example> examples;
  for (const double score : positives) examples.push_back({score, true});
  for (const double score : negatives) examples.push_back({score, false});
  for (const Example& example : examples) CUPEL_ASSERT(std::isfinite(example.score));
  std::sort(examples.begin(), examples.end(),
            [](const Example& a, const Example& b) { return a.score < b.score; });
  return examples;
}

/// A step for each different score, without probabilities.
std::vector<Calibration::Step> steps_of(const std::vector<Example>& examples) {
  std::vector<Calibration::Step> steps;
  for (const Example& example : examples) {
    if (steps.empty() || steps.back().high < example.score)
      steps.push_back({.low = example.score, .high = example.score});
    ++(example.positive ? steps.back().positives : steps.back().negatives);
  }
  return steps;
}

/// Neighbours become one as long as the lower's probability is not below the upper's.
template <class Probability>
std::vector<Calibration::Step> pooled(std::span<const Calibration::Step> steps,
                                      const Probability& probability) {
  std::vector<Calibration::Step> kept;
  for (const Calibration::Step& step : steps) {
    kept.push_back(step);
    kept.back().probability = probability(step);
    while (kept.size() > 1 && kept[kept.size() - 2].probability >= kept.back().probability) {
      const Calibration::Step upper = kept.back();
      kept.pop_back();
      Calibration::Step& lower = kept.back();
      lower.high = upper.high;
      lower.positives += upper.positives;
      lower.negatives += upper.negatives;
      lower.probability = probability(lower);
    }
  }
  return kept;
}

/// The same evidence where the share of positives is `balance` instead of a half.
double at_balance(double probability, double balance) {
  const double positive = probability * balance, negative = (1 - probability) * (1 - balance);
  return positive / (positive + negative);
}

/// Of ln(p share + (1 - p) (1 - share)) by the share.
double likelihood_slope(double p, double share) {
  return (2 * p - 1) / (p * share + (1 - p) * (1 - share));
}

}  // namespace

Calibration::Calibration(std::span<const double> positives, std::span<const double> negatives) {
  const auto p = static_cast<double>(positives.size()), n = static_cast<double>(negatives.size());
  const auto smoothed = [&](const Step& step, double example) {
    const double positive = static_cast<double>(step.positives) / p + example;
    const double negative = static_cast<double>(step.negatives) / n + example;
    return positive / (positive + negative);
  };
  steps_ = steps_of(sorted(positives, negatives));
  steps_ = pooled(steps_, [&](const Step& step) { return smoothed(step, 0); });
  steps_ = pooled(steps_, [&](const Step& step) { return smoothed(step, 1 / (p + n)); });
}

double Calibration::probability(double score, double balance) const {
  const auto next = std::upper_bound(steps_.begin(), steps_.end(), score,
                                     [](double s, const Step& step) { return s < step.low; });
  if (next == steps_.begin()) return at_balance(next->probability, balance);
  const auto step = next - 1;
  double probability = step->probability;
  if (score > step->high && next != steps_.end()) {
    const double way = (score - step->high) / (next->low - step->high);
    probability += way * (next->probability - step->probability);
  }
  return at_balance(probability, balance);
}

Balance Calibration::estimate_balance(std::span<const double> scores) const {
  return estimate_balance_in_parts([&](const Take& take) { take(scores); });
}

Balance Calibration::estimate_balance_in_parts(const std::function<void(const Take&)>& scan) const {
  constexpr int kMostRounds = 1000;
  constexpr double kSettled = 1e-9;
  Balance balance;
  scan([&](std::span<const double> scores) { balance.examples += std::ssize(scores); });
  if (balance.examples == 0) return balance;
  const auto count = static_cast<double>(balance.examples);
  const double least = 1 / (count + 2), most = 1 - least;
  // The likelihood is concave in the share: where it still rises at the most, or falls at the
  // least, no share between them is more likely.
  double slope_at_least = 0, slope_at_most = 0;
  scan([&](std::span<const double> scores) {
    for (const double score : scores) {
      const double p = probability(score);
      slope_at_least += likelihood_slope(p, least);
      slope_at_most += likelihood_slope(p, most);
    }
  });
  if (slope_at_most >= 0) return {most, balance.examples, Mixture::positives_alone};
  if (slope_at_least <= 0) return {least, balance.examples, Mixture::negatives_alone};
  for (int round = 0; round < kMostRounds; ++round) {
    double sum = 0;
    scan([&](std::span<const double> scores) {
      for (const double score : scores) sum += probability(score, balance.share);
    });
    const double next = std::clamp(sum / count, least, most);
    const bool settled = std::abs(next - balance.share) < kSettled;
    balance.share = next;
    if (settled) break;
  }
  return balance;
}

double area_under_curve(std::span<const double> positives, std::span<const double> negatives) {
  double above = 0;  // pairs in the right order
  int64_t below = 0;
  for (const Calibration::Step& tied : steps_of(sorted(positives, negatives))) {
    above += static_cast<double>(tied.positives) *
             (static_cast<double>(below) + 0.5 * static_cast<double>(tied.negatives));
    below += tied.negatives;
  }
  return above / static_cast<double>(positives.size()) / static_cast<double>(negatives.size());
}

double calibration_error(std::span<const double> positives, std::span<const double> negatives) {
  CUPEL_ASSERT(!positives.empty() && !negatives.empty());
  struct Bin {
    double foretold = 0, positive = 0;  // weights
  };
  std::array<Bin, 10> bins;
  const auto put = [&](std::span<const double> probabilities, bool positive) {
    const double weight = 0.5 / static_cast<double>(probabilities.size());
    for (const double probability : probabilities) {
      const auto at = static_cast<std::size_t>(std::min(9.0, probability * 10));
      bins[at].foretold += weight * probability;
      if (positive) bins[at].positive += weight;
    }
  };
  put(positives, true);
  put(negatives, false);
  double error = 0;
  for (const Bin& bin : bins) error += std::abs(bin.foretold - bin.positive);
  return error;
}

}  // namespace cupel

#include "base/calibration.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/errors.h"
#include "support/rows.h"

namespace cupel {
namespace {

/// Normal scores, `shift` apart: ln(p(score | positive) / p(score | negative)) is
/// shift * score - shift² / 2.
std::vector<double> normal_scores(std::size_t count, double shift, uint64_t seed) {
  Rng rng(seed, "test scores");
  std::vector<double> scores(count);
  for (double& score : scores) score = shift + rng.normal();
  return scores;
}

TEST(Calibration, PoolsAdjacentViolators) {
  // Scores in order: - - + - + + ; the middle + - is out of order and becomes one step.
  const std::vector<double> positives{3, 5, 6}, negatives{1, 2, 4};
  const Calibration calibration(positives, negatives);
  ASSERT_EQ(calibration.steps().size(), 3u);
  EXPECT_EQ(calibration.steps()[0],
            (Calibration::Step{.low = 1,
                               .high = 2,
                               .negatives = 2,
                               .probability = (1.0 / 6) / (1.0 / 6 + 2.0 / 3 + 1.0 / 6)}));
  EXPECT_EQ(calibration.steps()[1].low, 3);
  EXPECT_EQ(calibration.steps()[1].high, 4);
  EXPECT_DOUBLE_EQ(calibration.steps()[1].probability, 0.5);
  EXPECT_DOUBLE_EQ(calibration.steps()[2].probability, (2.0 / 3 + 1.0 / 6) / 1.0);
}

TEST(Calibration, HasOneStepForEqualScores) {
  const std::vector<double> positives{1, 1, 1, 2}, negatives{1, 0};
  const Calibration calibration(positives, negatives);
  for (const Calibration::Step& step : calibration.steps()) EXPECT_LE(step.low, step.high);
  double last = -1;
  for (const Calibration::Step& step : calibration.steps()) {
    EXPECT_GT(step.low, last) << "the same score stands in two steps";
    last = step.high;
  }
}

TEST(Calibration, NeverFallsAsTheScoreRises) {
  for (const uint64_t seed : {1u, 2u, 3u}) {
    const Calibration calibration(normal_scores(50, 1, seed), normal_scores(300, 0, seed + 10));
    for (const double balance : {0.01, 0.5, 0.93}) {
      double before = 0;
      for (double score = -6; score < 6; score += 0.01) {
        const double probability = calibration.probability(score, balance);
        ASSERT_GE(probability, before) << score;
        ASSERT_GT(probability, 0);
        ASSERT_LT(probability, 1);
        before = probability;
      }
    }
  }
}

TEST(Calibration, InterpolatesBetweenStepsAndIsFlatBeyondTheEnds) {
  const std::vector<double> positives{4, 5}, negatives{1, 2};
  const Calibration calibration(positives, negatives);
  const double low = calibration.probability(2), high = calibration.probability(4);
  EXPECT_EQ(calibration.probability(-100), low);
  EXPECT_EQ(calibration.probability(100), high);
  EXPECT_DOUBLE_EQ(calibration.probability(3), (low + high) / 2);
  EXPECT_DOUBLE_EQ(calibration.probability(2.5), 0.75 * low + 0.25 * high);
}

TEST(Calibration, ComesNearTheTrueProbabilityOnFreshScores) {
  const Calibration calibration(normal_scores(4000, 2, 1), normal_scores(20000, 0, 2));
  for (const double balance : {0.5, 0.9}) {
    for (double score = -0.5; score <= 2.5; score += 0.25) {
      const double odds = std::exp(2 * score - 2) * balance / (1 - balance);
      EXPECT_NEAR(calibration.probability(score, balance), odds / (1 + odds), 0.06) << score;
    }
  }
}

TEST(Calibration, IsTheSameHoweverManyExamplesOfAKindThereAre) {
  const std::vector<double> positives = normal_scores(400, 1, 1);
  std::vector<double> negatives = normal_scores(400, 0, 2);
  const Calibration once(positives, negatives);
  const std::vector<double> copy = negatives;
  for (int i = 0; i < 9; ++i) negatives.insert(negatives.end(), copy.begin(), copy.end());
  const Calibration ten_times(positives, negatives);
  for (double score = 0; score <= 1; score += 0.1)
    EXPECT_NEAR(once.probability(score), ten_times.probability(score), 0.02);
}

TEST(Calibration, EstimatesTheShareOfPositivesInAMixture) {
  const Calibration calibration(normal_scores(2000, 2.5, 1), normal_scores(2000, 0, 2));
  for (const double share : {0.1, 0.5, 0.92}) {
    const auto count = static_cast<std::size_t>(5000 * share);
    std::vector<double> mixture = normal_scores(count, 2.5, 3);
    const std::vector<double> rest = normal_scores(5000 - count, 0, 4);
    mixture.insert(mixture.end(), rest.begin(), rest.end());
    EXPECT_NEAR(calibration.estimate_balance(mixture).share, share, 0.02);
  }
  EXPECT_EQ(calibration.estimate_balance({}), Balance{});
  const std::vector<double> scores = normal_scores(100, 1, 3);
  const std::span<const double> all(scores);
  const auto in_parts = [&](const Calibration::Take& take) {
    take(all.first(10));
    take(all.subspan(10));
  };
  EXPECT_EQ(calibration.estimate_balance_in_parts(in_parts), calibration.estimate_balance(all));
}

TEST(Calibration, AMixtureOfOneKindHasTheShareThatSoManyExamplesCanShow) {
  const Calibration calibration(normal_scores(2000, 4, 1), normal_scores(2000, 0, 2));
  for (const std::size_t count : {1u, 8u, 98u, 998u}) {
    const auto n = static_cast<int64_t>(count);
    const double least = 1 / (static_cast<double>(count) + 2);
    EXPECT_EQ(calibration.estimate_balance(std::vector<double>(count, 4.0)),
              (Balance{1 - least, n, Mixture::positives_alone}));
    EXPECT_EQ(calibration.estimate_balance(std::vector<double>(count, 0.0)),
              (Balance{least, n, Mixture::negatives_alone}));
  }
}

// With a share of 1 - 1e-6, where the estimate used to be cut off, it would be one by 0.996.
TEST(Calibration, AScoreOfTheOtherKindIsStillDoubtedWhereTheEstimateFindsNone) {
  const Calibration calibration(normal_scores(2000, 4, 1), normal_scores(2000, 0, 2));
  std::vector<double> scores(5000, 4.0);
  scores.push_back(-1);
  const Balance balance = calibration.estimate_balance(scores);
  EXPECT_EQ(balance.mixture, Mixture::positives_alone);
  EXPECT_LT(calibration.probability(-1, balance.share), 0.7);
  EXPECT_GT(calibration.probability(4, balance.share), 0.999);
}

TEST(Calibration, NeedsBothKinds) {
  EXPECT_THAT([] { Calibration(std::vector<double>{1}, {}); },
              throws_error(ErrorKind::bug, "negatives.empty()"));
  EXPECT_THAT([] { Calibration(std::vector<double>{1}, std::vector<double>{NAN}); },
              throws_error(ErrorKind::bug, "isfinite"));
}

TEST(AreaUnderCurve, CountsPairsInOrderAndTiesHalf) {
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector<double>{2, 3}, std::vector<double>{0, 1}), 1);
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector<double>{0, 1}, std::vector<double>{2, 3}), 0);
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector<double>{1, 1}, std::vector<double>{1}), 0.5);
  EXPECT_DOUBLE_EQ(area_under_curve(std::vector<double>{1, 3}, std::vector<double>{1, 2}), 0.625);
}

TEST(CalibrationError, IsZeroForTrueProbabilitiesAndLargeForCertainErrors) {
  const std::vector<double> most{0.75, 0.75, 0.75, 0.25}, few{0.25, 0.25, 0.25, 0.75};
  EXPECT_NEAR(calibration_error(most, few), 0, 1e-12);
  EXPECT_NEAR(calibration_error(std::vector<double>{0.0}, std::vector<double>{1.0}), 1, 1e-12);
}

}  // namespace
}  // namespace cupel

#include "augment/metrics.h"

#include <gtest/gtest.h>

#include <limits>

namespace cupel::augment {
namespace {

const std::vector<float> kScores = {0.9f, 0.8f, 0.7f, 0.6f, 0.5f};
const std::vector<uint8_t> kLabels = {1, 0, 1, 0, 1};

TEST(Metrics, F1CountsWhatStandsAtOrAboveTheThreshold) {
  EXPECT_DOUBLE_EQ(f1(kScores, kLabels, 0.7f), 2.0 * 2 / (3 + 3));
  EXPECT_DOUBLE_EQ(f1(kScores, kLabels, 0.95f), 0);
  EXPECT_DOUBLE_EQ(f1(kScores, kLabels, 0.5f), 2.0 * 3 / (5 + 3));
}

TEST(Metrics, TheBestThresholdIsTheScoreWithTheGreatestF1) {
  EXPECT_EQ(best_threshold(kScores, kLabels), 0.5f);
  EXPECT_EQ(best_threshold(kScores, std::vector<uint8_t>{1, 1, 0, 0, 0}), 0.8f);
  EXPECT_EQ(best_threshold(kScores, std::vector<uint8_t>(5, 0)),
            std::numeric_limits<float>::infinity());
}

TEST(Metrics, AveragePrecisionIsThatOfTheDefinition) {
  EXPECT_NEAR(average_precision(kScores, kLabels), (1.0 + 2.0 / 3 + 3.0 / 5) / 3, 1e-12);
  EXPECT_EQ(average_precision(kScores, std::vector<uint8_t>(5, 0)), 0);
}

TEST(Metrics, EqualScoresAreFoundTogether) {
  const std::vector<float> equal(4, 1.0f);
  EXPECT_NEAR(average_precision(equal, std::vector<uint8_t>{0, 1, 0, 0}), 0.25, 1e-12);
}

/// Rows whose label is whether the first of two columns is above 0.3.
Rows rows(int64_t count) {
  Rows out;
  out.width = 16;
  out.x.resize(static_cast<std::size_t>(count * 16));
  Rng rng(4, "rows");
  for (int64_t r = 0; r < count; ++r) {
    float* row = out.x.data() + r * 16;
    row[0] = static_cast<float>(rng.normal());
    row[1] = static_cast<float>(rng.normal());
    out.labels.push_back(row[0] > 0.3f);
    out.groups.push_back(row[1] > 0 ? "upper" : "lower");
  }
  return out;
}

std::vector<Feature> features() {
  std::vector<Feature> out(2);
  for (Feature& feature : out) {
    feature.low = -10;
    feature.high = 10;
  }
  return out;
}

TEST(Metrics, AnEvasionMovesPositivesAloneAndThreadsChangeNothing) {
  const Rows data = rows(3000);
  const Mlp network(2, {16}, Rng(1, "network"));
  const Perturber perturber(features(), {.epsilon = 0.3}, 16);
  ThreadPool one(1), three(3);
  const std::vector<float> clean = score(network, data, one);
  const auto attacked = [&](Moves moves, ThreadPool& pool) {
    return score_attacked({.epsilon = 0.3}, perturber, network, data, moves, 9, pool);
  };
  const std::vector<float> evaded = attacked(Moves::positives, one);
  EXPECT_EQ(evaded, attacked(Moves::positives, three));
  EXPECT_EQ(attacked(Moves::all, one), attacked(Moves::all, three));
  for (std::size_t i = 0; i < clean.size(); ++i) {
    if (data.labels[i] == 0) {
      ASSERT_EQ(evaded[i], clean[i]);
    } else {
      ASSERT_LE(evaded[i], clean[i] + 1e-5);
    }
  }
}

TEST(Metrics, EvaluationHoldsOneThresholdAgainstEveryAttack) {
  const Rows data = rows(2000);
  const Mlp network(2, {16}, Rng(1, "network"));
  const Perturber perturber(features(), {.epsilon = 0.2}, 16);
  ThreadPool pool(2);
  const float threshold = best_threshold(score(network, data, pool), data.labels);
  const Scores scores = evaluate(network, threshold, perturber, {.epsilon = 0.2}, data, 1, pool);
  EXPECT_LE(scores.robust_f1, scores.evasion_f1);
  EXPECT_LT(scores.evasion_f1, scores.clean_f1);
  EXPECT_NEAR(scores.noise_f1, scores.clean_f1, 0.05);
  ASSERT_EQ(scores.recall.size(), 2u);
  EXPECT_GT(scores.recall.at("upper") + scores.recall.at("lower"), 0);
}

}  // namespace
}  // namespace cupel::augment

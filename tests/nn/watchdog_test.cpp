#include "nn/watchdog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "support/errors.h"

namespace cupel::nn {
namespace {

FitConfig watchdog_config(double threshold, int64_t patience) {
  FitConfig config;
  config.loss_watchdog_threshold = threshold;
  config.loss_watchdog_patience = patience;
  return config;
}

TEST(Watchdog, WantsARollbackAfterPatienceDivergedStepsInARow) {
  Watchdog watchdog(watchdog_config(0, 3));
  watchdog.observe(NAN, true);
  watchdog.observe(1.0, false);
  EXPECT_FALSE(watchdog.wants_rollback());
  watchdog.observe(INFINITY, true);
  EXPECT_TRUE(watchdog.wants_rollback());
}

TEST(Watchdog, IsDivergingFromTheFirstBadStepToTheNextGoodOne) {
  Watchdog watchdog(watchdog_config(0, 3));
  EXPECT_FALSE(watchdog.diverging());
  watchdog.observe(NAN, true);
  EXPECT_TRUE(watchdog.diverging());
  watchdog.observe(1.0, true);
  EXPECT_FALSE(watchdog.diverging());
}

TEST(Watchdog, OneGoodStepStartsTheCountAgain) {
  Watchdog watchdog(watchdog_config(0, 2));
  for (int i = 0; i < 10; ++i) {
    watchdog.observe(i % 2 == 0 ? NAN : 1.0, true);
    EXPECT_FALSE(watchdog.wants_rollback());
  }
}

TEST(Watchdog, AThresholdCountsHighLossesAsDiverged) {
  Watchdog off(watchdog_config(0, 1)), on(watchdog_config(5, 1));
  off.observe(100, true);
  on.observe(100, true);
  EXPECT_FALSE(off.wants_rollback());
  EXPECT_TRUE(on.wants_rollback());
}

TEST(Watchdog, AllowsTwoRollbacksThenEndsTheRunWithARemedy) {
  Watchdog watchdog(watchdog_config(0, 1));
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(watchdog.may_roll_back());
    watchdog.observe(NAN, true);
    watchdog.rolled_back();
    EXPECT_FALSE(watchdog.wants_rollback());
  }
  EXPECT_FALSE(watchdog.may_roll_back());
  EXPECT_THAT(
      [&] { watchdog.give_up(7, true); },
      throws_error(ErrorKind::numeric, "after 2 returns to a checkpoint; lower learning_rate"));
}

TEST(Watchdog, GoesOnFromItsState) {
  Watchdog watchdog(watchdog_config(0, 3)), other(watchdog_config(0, 3));
  watchdog.observe(NAN, true);
  watchdog.observe(NAN, true);
  other.restore(watchdog.state());
  other.observe(NAN, true);
  EXPECT_TRUE(other.wants_rollback());
}

}  // namespace
}  // namespace cupel::nn

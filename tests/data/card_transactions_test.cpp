#include "data/card_transactions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace cupel {
namespace {

constexpr int64_t kDay = 86400;

std::vector<CardTransaction> simulate(const CardSimulation& settings, uint64_t seed = 1,
                                      int threads = 2) {
  ThreadPool pool(threads);
  return simulate_card_transactions(settings, seed, pool);
}

CardSimulation small(int64_t days = 40) {
  return {.customers = 400, .terminals = 800, .radius = 5, .days = days};
}

bool same(const CardTransaction& a, const CardTransaction& b) {
  return a.second == b.second && a.customer == b.customer && a.terminal == b.terminal &&
         a.cents == b.cents && a.scenario == b.scenario;
}

TEST(CardTransactions, AreTheSameForAnyNumberOfThreadsAndOthersForAnotherSeed) {
  const auto one = simulate(small(), 1, 1), three = simulate(small(), 1, 3);
  EXPECT_TRUE(std::ranges::equal(one, three, same));
  EXPECT_FALSE(std::ranges::equal(one, simulate(small(), 2), same));
}

TEST(CardTransactions, KeepTheirDaysWhenMoreDaysFollow) {
  const auto few = simulate(small(20)), more = simulate(small(40));
  ASSERT_LT(few.size(), more.size());
  // A card stolen near the end has more payments to choose from; before that nothing differs.
  const auto before = [](const CardTransaction& one) { return one.day() < 6; };
  const auto end = std::ranges::find_if_not(few, before) - few.begin();
  ASSERT_GT(end, 1000);
  EXPECT_TRUE(std::equal(few.begin(), few.begin() + end, more.begin(), same));
}

TEST(CardTransactions, AreInOrderOfTimeAboutTwoADayAndCustomer) {
  const auto all = simulate(small());
  EXPECT_TRUE(std::ranges::is_sorted(all, {}, &CardTransaction::second));
  const double a_day = static_cast<double>(all.size()) / (400 * 40);
  EXPECT_NEAR(a_day, 1.94, 0.15);  // Poisson of mean 0 … 4, 3 % of it past midnight
}

TEST(CardTransactions, HaveAFraudWhereverTheAmountIsAbove220) {
  for (const CardTransaction& one : simulate(small())) {
    if (one.cents > 22000) {
      EXPECT_NE(one.scenario, 0);
    }
    if (one.scenario == 1) {
      EXPECT_GT(one.cents, 22000);
    }
  }
}

TEST(CardTransactions, OfACompromisedTerminalAreFraudsForAtMostFourWeeksInARow) {
  std::map<int32_t, std::vector<CardTransaction>> of_terminal;
  for (const CardTransaction& one : simulate(small(60))) of_terminal[one.terminal].push_back(one);
  int compromised = 0;
  for (const auto& [terminal, theirs] : of_terminal) {
    const auto first = std::ranges::find(theirs, 2, &CardTransaction::scenario);
    if (first == theirs.end()) continue;
    ++compromised;
    // Within four weeks of the first nothing is honest, but what came before.
    for (auto one = first; one != theirs.end() && one->day() < first->day() + 1; ++one)
      EXPECT_NE(one->scenario, 0);
  }
  EXPECT_GT(compromised, 60);  // two a day of 60, some twice, some never used
  EXPECT_LE(compromised, 120);
}

TEST(CardTransactions, AreFraudsOfThreeKindsInTheirKnownShares) {
  const auto all = simulate({.customers = 2000, .terminals = 4000, .radius = 5, .days = 60});
  std::map<int, int64_t> count;
  int64_t rows = 0;
  for (const CardTransaction& one : all) {
    if (one.day() < 30) continue;
    ++rows;
    ++count[one.scenario];
  }
  EXPECT_GT(count[1], 0);
  EXPECT_GT(count[2], count[3]);
  EXPECT_GT(count[3], count[1]);
  const auto frauds = static_cast<double>(rows - count[0]);
  EXPECT_NEAR(frauds / static_cast<double>(rows), 0.02, 0.01);  // 2.5 times as few customers
}

TEST(CardFeatures, OfAHandMadeHistoryAreThoseOfTheDefinition) {
  const std::vector<CardTransaction> all = {
      {.second = 100, .customer = 0, .terminal = 0, .cents = 1000, .scenario = 2},
      {.second = 3 * kDay, .customer = 0, .terminal = 0, .cents = 3000},
      {.second = 3 * kDay + 8 * 3600, .customer = 1, .terminal = 1, .cents = 700},
      {.second = 7 * kDay + 200, .customer = 0, .terminal = 0, .cents = 5000},
      {.second = 12 * kDay, .customer = 0, .terminal = 0, .cents = 100},
  };
  const std::vector<float> x = card_features(all);
  const auto row = [&](std::size_t i) {
    return std::vector<float>(x.begin() + static_cast<std::ptrdiff_t>(15 * i),
                              x.begin() + static_cast<std::ptrdiff_t>(15 * (i + 1)));
  };
  EXPECT_EQ(row(0), (std::vector<float>{10, 1, 1, 1, 10, 1, 10, 1, 10, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(row(1), (std::vector<float>{30, 0, 1, 1, 30, 2, 20, 2, 20, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(row(2), (std::vector<float>{7, 0, 0, 1, 7, 1, 7, 1, 7, 0, 0, 0, 0, 0, 0}));
  // The first transaction has left the customer's week and entered the terminal's windows.
  EXPECT_EQ(row(3), (std::vector<float>{50, 1, 1, 1, 50, 2, 40, 3, 30, 1, 1, 1, 1, 1, 1}));
  // Seven days back: day 5. The terminal's day before is empty, its week holds two, one a fraud.
  EXPECT_EQ(row(4), (std::vector<float>{1, 0, 1, 1, 1, 2, 25.5, 4, 22.75, 0, 0, 2, 0.5, 2, 0.5}));
}

TEST(CardFeatures, AreNamedOnceEach) {
  auto names = kCardFeatures;
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

}  // namespace
}  // namespace cupel

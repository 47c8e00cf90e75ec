// Simulated card payments with three kinds of fraud, and the history features that find them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/parallel.h"

namespace cupel {

/// After the public description of the simulator in "Reproducible Machine Learning for Credit Card
/// Fraud Detection" (Le Borgne, Siblini, Lebichot and Bontempi 2022, chapter 3), written anew.
struct CardSimulation {
  int64_t customers = 5000;
  int64_t terminals = 10000;
  double radius = 5;  // customers use the terminals this near, on a map of 100 x 100
  int64_t days = 60;  // day 0 is a Sunday
};

struct CardTransaction {
  int64_t second = 0;  // since the beginning of day 0
  int32_t customer = 0, terminal = 0;
  int64_t cents = 0;
  int32_t scenario = 0;  // 0: honest; 1, 2, 3: see simulate_card_transactions
  int64_t day() const { return second / 86400; }
};

/// In order of time; a function of settings and seed alone. A customer has a place, a mean amount
/// in 5 … 100, and a mean of 0 … 4 payments a day; their number is Poisson, the time of day normal
/// around noon, the amount normal. Frauds: 1, every amount above 220; 2, two terminals a day are
/// compromised, and everything paid there in the next 28 days is a fraud; 3, three customers a day
/// are robbed of their card's data, and a third of their payments of the next 14 days are a fraud
/// of five times the amount.
std::vector<CardTransaction> simulate_card_transactions(const CardSimulation& settings,
                                                        uint64_t seed, ThreadPool& pool);

/// Names of the features, in the order of a row. Means are in currency, windows in days.
inline constexpr std::array<std::string_view, 15> kCardFeatures = {
    "amount",           "weekend",           "night",           "customer_count_1",
    "customer_mean_1",  "customer_count_7",  "customer_mean_7", "customer_count_30",
    "customer_mean_30", "terminal_count_1",  "terminal_risk_1", "terminal_count_7",
    "terminal_risk_7",  "terminal_count_30", "terminal_risk_30"};

/// Rows x 15. Night is before 7 o'clock. A customer's windows of 1, 7 and 30 days end with the
/// transaction itself; a terminal's end seven days before it, when frauds are known, and its risk
/// is the share of frauds among their transactions (0 of none). Transactions must be in order of
/// time; windows are full from day 37 on.
std::vector<float> card_features(const std::vector<CardTransaction>& transactions);

}  // namespace cupel

#include "nn/classified_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/errors.h"

namespace cupel::nn {
namespace {

std::vector<RowSet> sets_of_lengths(const std::vector<std::vector<int>>& lengths) {
  std::vector<RowSet> sets;
  int64_t next = 0;
  for (const std::vector<int>& set : lengths) {
    sets.emplace_back();
    for (const int length : set)
      sets.back().rows.push_back(
          {std::vector<int32_t>(static_cast<std::size_t>(length), 1), next++});
  }
  return sets;
}

/// The rows of an epoch, by their labels.
std::multiset<int64_t> rows_of_epoch(RowOrder& order, int64_t epoch) {
  std::multiset<int64_t> rows;
  for (int64_t i = 0; i < order.batches_per_epoch(); ++i)
    for (const ClassifiedRow* row : order.batch(epoch * order.batches_per_epoch() + i))
      rows.insert(row->label);
  return rows;
}

TEST(RowOrder, TakesEveryRowOnceAnEpochInAnotherOrderAndTheLongestFirst) {
  std::vector<int> lengths;
  for (int i = 0; i < 1001; ++i) lengths.push_back(3 + i * 7 % 30);
  lengths[500] = 77;
  const std::vector<RowSet> sets = sets_of_lengths({lengths});
  const cupel::Run run({.seed = 9, .threads = 1});
  RowOrder order(sets, 8, run, "data");
  ASSERT_EQ(order.batches_per_epoch(), 126) << "two of 50 batches, and a bit";
  EXPECT_EQ(padded_length(order.batch(0)), 77);
  for (const int64_t epoch : {0, 1}) {
    const std::multiset<int64_t> rows = rows_of_epoch(order, epoch);
    EXPECT_EQ(rows.size(), 1001u);
    EXPECT_EQ(std::set<int64_t>(rows.begin(), rows.end()).size(), 1001u);
  }
  const auto labels = [&](int64_t batch) {
    std::vector<int64_t> found;
    for (const ClassifiedRow* row : order.batch(batch)) found.push_back(row->label);
    return found;
  };
  const std::vector<int64_t> early = labels(5);
  EXPECT_NE(early, labels(5 + 126));
  EXPECT_EQ(early, labels(5)) << "back again";
}

TEST(RowOrder, PadsLittle) {
  std::vector<int> lengths;
  for (int i = 0; i < 4000; ++i) lengths.push_back(2 + i * 7919 % 60);
  int64_t tokens = 0, padded = 0;
  const std::vector<RowSet> sets = sets_of_lengths({lengths});
  const cupel::Run run({.seed = 1, .threads = 1});
  RowOrder order(sets, 16, run, "data");
  for (int64_t i = 0; i < order.batches_per_epoch(); ++i) {
    const auto batch = order.batch(i);
    for (const ClassifiedRow* row : batch) tokens += static_cast<int64_t>(row->ids.size());
    padded += static_cast<int64_t>(batch.size()) * padded_length(batch);
  }
  EXPECT_LT(static_cast<double>(padded), 1.06 * static_cast<double>(tokens));
  const BatchSizes sizes = order.sizes();
  EXPECT_EQ(sizes.rows, 16);
  EXPECT_EQ(sizes.length, 61);
  EXPECT_NEAR(sizes.mean_tokens * static_cast<double>(sizes.per_epoch), static_cast<double>(padded),
              0.5);
}

TEST(RowOrder, AnEpochTakesWeightTimesASetsRows) {
  std::vector<RowSet> sets = sets_of_lengths({{3, 3, 3, 3}, {3, 3, 3, 3}, {3, 3}});
  sets[0].weight = 0.5;
  sets[1].weight = 2.5;
  sets[2].weight = 0;
  const cupel::Run run({.seed = 1, .threads = 1});
  RowOrder order(sets, 3, run, "data");
  const std::multiset<int64_t> rows = rows_of_epoch(order, 0);
  EXPECT_EQ(rows.size(), 12u);
  const auto of = [&](int64_t begin, int64_t end) {
    return std::ranges::count_if(rows, [=](int64_t row) { return row >= begin && row < end; });
  };
  EXPECT_EQ(of(0, 4), 2);
  EXPECT_EQ(of(4, 8), 10);
  for (int64_t row = 4; row < 8; ++row) EXPECT_GE(rows.count(row), 2u);
  sets[1].weight = 1e8;
  EXPECT_THAT([&] { RowOrder(sets, 3, run, "train.datasets"); },
              throws_error(ErrorKind::config, "train.datasets[1].weight: makes an epoch of more"));
}

}  // namespace
}  // namespace cupel::nn

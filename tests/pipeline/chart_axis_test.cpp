#include "pipeline/chart_axis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace cupel::pipeline::chart {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

TEST(Ticks, AreRoundAndInsideTheRange) {
  EXPECT_THAT(nice_ticks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(nice_ticks(1.2, 4.9, 4), ElementsAre(2, 3, 4));
  const std::vector<double> small = nice_ticks(0.00012, 0.00031, 4);
  EXPECT_GE(small.size(), 3u);
  for (const double tick : small)
    EXPECT_THAT(tick, testing::AllOf(testing::Ge(0.00012), testing::Le(0.00031)));
}

TEST(Ticks, NeverAreTooMany) {
  for (const double high : {1e-300, 1e-9, 1.0, 7.3, 1e9, 1e299}) {
    for (const int count : {1, 4, 6}) {
      const std::size_t ticks = nice_ticks(0, high, count).size();
      EXPECT_GE(ticks, 1u) << high;
      EXPECT_LE(ticks, static_cast<std::size_t>(2 * count + 2)) << high;
    }
  }
}

TEST(Ticks, OfPowersAreThinned) {
  EXPECT_THAT(power_ticks(2048, 65536, 2, 8), ElementsAre(2048, 4096, 8192, 16384, 32768, 65536));
  EXPECT_THAT(power_ticks(0.001, 1000, 10, 4),
              ElementsAre(DoubleNear(1e-3, 1e-12), DoubleNear(0.1, 1e-9), DoubleNear(10, 1e-9),
                          DoubleNear(1000, 1e-9)));
}

TEST(ChartAxis, MapsTheEndsOfTheRange) {
  const Axis linear(2, 4, Scale::linear, 100, 0);
  EXPECT_DOUBLE_EQ(linear.place(2), 100);
  EXPECT_DOUBLE_EQ(linear.place(3), 50);
  const Axis log(1, 1024, Scale::log2, 0, 100);
  EXPECT_DOUBLE_EQ(log.place(32), 50);
}

TEST(ChartAxis, AConstantSeriesLiesInTheMiddle) {
  for (const double value : {-3.0, 0.0, 5.0})
    EXPECT_NEAR(Axis(value, value, Scale::linear, 0, 100).place(value), 50, 1e-9);
  EXPECT_NEAR(Axis(8, 8, Scale::log2, 0, 100).place(8), 50, 1e-9);
}

TEST(ChartAxis, ANarrowLogarithmicRangeStillHasTicks) {
  EXPECT_GE(Axis(1.4, 8, Scale::log10, 0, 100).ticks(5).size(), 3u);
  EXPECT_GE(Axis(3.1, 3.2, Scale::log2, 0, 100).ticks(5).size(), 2u);
}

TEST(ChartAxis, WhatCannotBeDrawnIsTold) {
  EXPECT_FALSE(can_be_drawn(NAN, Scale::linear));
  EXPECT_FALSE(can_be_drawn(1e301, Scale::linear));
  EXPECT_FALSE(can_be_drawn(0, Scale::log10));
  EXPECT_FALSE(can_be_drawn(-1, Scale::log2));
  EXPECT_TRUE(can_be_drawn(-1, Scale::linear));
}

TEST(Thinning, KeepsExtremesEndsAndGaps) {
  std::vector<Point> points;
  for (int i = 0; i < 100000; ++i) points.push_back({static_cast<double>(i), std::sin(i * 0.01)});
  points[31234].y = 50;
  points[77777].y = -50;
  points[50001].y = NAN;
  const std::vector<Point> kept = thin(points, 800);
  EXPECT_LE(kept.size(), 802u);
  const auto has = [&](double x, double y) {
    return std::find(kept.begin(), kept.end(), Point{x, y}) != kept.end();
  };
  EXPECT_TRUE(has(31234, 50));
  EXPECT_TRUE(has(77777, -50));
  EXPECT_EQ(kept.front(), points.front());
  EXPECT_EQ(kept.back(), points.back());
  EXPECT_EQ(std::count_if(kept.begin(), kept.end(), [](Point p) { return std::isnan(p.y); }), 1);
  EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(), [](Point a, Point b) { return a.x < b.x; }));
}

TEST(Thinning, LeavesShortSeriesAlone) {
  const std::vector<Point> points{{0, 1}, {1, 2}, {2, NAN}};
  EXPECT_EQ(thin(points, 800).size(), 3u);
  EXPECT_TRUE(thin({}, 800).empty());
}

}  // namespace
}  // namespace cupel::pipeline::chart

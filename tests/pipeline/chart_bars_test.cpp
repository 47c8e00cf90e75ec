#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "pipeline/chart.h"
#include "support/markup.h"

namespace cupel::pipeline::chart {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BarChart, TheLongestBarIsTheLargestValue) {
  const std::string svg =
      bar_chart({.title = "Memory", .bars = {{"planned", 50, "50 MiB"}, {"peak", 100, "100 MiB"}}});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("width=\"272.0\""));
  EXPECT_THAT(svg, HasSubstr("width=\"544.0\""));
  EXPECT_THAT(svg, HasSubstr("50 MiB"));
}

TEST(BarChart, ValuesThatAreNoneHaveNoLength) {
  const std::string svg =
      bar_chart({.title = "x", .bars = {{"a", NAN}, {"b", -1}, {"c", 0}, {"d", INFINITY}}});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_EQ(count_of(svg, "width=\"0.0\""), 4);
  EXPECT_EQ(bar_chart({.title = "none"}), "");
}

TEST(IntervalChart, SharesAreShownBetweenZeroAndOne) {
  const std::string svg = interval_chart(
      {.title = "exact_match",
       .estimates = {
           {.label = "a<b", .value = 0.5, .interval = Interval{0.25, 0.75}, .baseline = 0}}});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("cx=\"280.0\""));  // the middle
  EXPECT_THAT(svg, HasSubstr("x1=\"144.0\" x2=\"416.0\""));
  EXPECT_THAT(svg, HasSubstr("baseline: 0"));
  EXPECT_THAT(svg, HasSubstr("a&lt;b"));
}

TEST(IntervalChart, EstimatesThatAreNotFiniteAreSaidNotDrawn) {
  const std::string svg = interval_chart(
      {.title = "x", .estimates = {{.label = "a", .value = NAN, .interval = Interval{NAN, 2}}}});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_EQ(count_of(svg, "<circle"), 0);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_EQ(interval_chart({.title = "none"}), "");
  const auto end_of_axis = [](bool shares) {
    return interval_chart(
        {.title = "KL", .estimates = {{"w4", 0.1, {{0.1, 0.2}}}}, .shares = shares});
  };
  EXPECT_NE(end_of_axis(true), end_of_axis(false)) << "what is no share fills the axis";
  EXPECT_EQ(end_of_axis(false).find(">0.6<"), std::string::npos);
}

TEST(HeatMap, ShadesFromTheLeastToTheLargest) {
  const std::string svg = heat_map(
      {.title = "Load", .rows = {"L1 E0", "L1 E1"}, .x = {10, 20}, .values = {{0, 1}, {2, NAN}}});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_EQ(count_of(svg, "class=\"cell\""), 3);
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"0.06\""));
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"1.00\""));
  EXPECT_THAT(svg, HasSubstr("pale 0 · full 2"));
}

TEST(HeatMap, ManyColumnsAreAveraged) {
  HeatMap map{.title = "Load", .rows = {"a"}};
  for (int i = 0; i < 6000; ++i) map.x.push_back(i);
  map.values = {std::vector<double>(6000, 1)};
  map.values[0][0] = 3;
  const std::string svg = heat_map(map);
  EXPECT_EQ(count_of(svg, "class=\"cell\""), 3000);
  EXPECT_THAT(svg, HasSubstr("full 2"));  // mean of 3 and 1
  EXPECT_EQ(heat_map({.title = "none"}), "");
}

}  // namespace
}  // namespace cupel::pipeline::chart

#include "pipeline/chart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/markup.h"

namespace cupel::pipeline::chart {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string drawn(std::vector<Point> points, LineChart chart = {.title = "Loss"}) {
  chart.series.push_back({.name = "training", .points = std::move(points)});
  return line_chart(chart);
}

TEST(LineChart, IsWellFormedAndShowsItsLastValue) {
  const std::string svg =
      drawn({{0, 4}, {10, 3}, {20, 2.5}}, {.title = "Loss <& \"x\"", .y_label = "nats"});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_THAT(svg, HasSubstr("training <b>2.5</b>"));
  EXPECT_THAT(svg, HasSubstr("Loss &lt;&amp; &quot;x&quot;"));
  EXPECT_THAT(svg, HasSubstr("<title>step 10: training 3</title>"));
}

TEST(LineChart, ANanIsAGapAndNeverACoordinate) {
  const std::string svg = drawn({{0, 4}, {1, 3}, {2, NAN}, {3, 2}, {4, 1}});
  EXPECT_EQ(count_of(svg, "M"), 1 + 2);  // the legend's line, and one on each side of the gap
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
}

TEST(LineChart, HugeValuesAreLeftOut) {
  const double huge = std::numeric_limits<double>::max();
  const std::string svg = drawn({{0, -huge}, {1, 3}, {2, huge}, {3, 2}});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(LineChart, NothingToDrawIsNoChart) {
  EXPECT_EQ(drawn({}), "");
  EXPECT_EQ(drawn({{0, NAN}, {1, INFINITY}}), "");
  EXPECT_EQ(drawn({{0, 0}, {1, -2}}, {.title = "log", .scale = Scale::log2}), "");
}

TEST(LineChart, ASinglePointGetsAMark) {
  EXPECT_THAT(drawn({{5, 1}}), HasSubstr("class=\"fill mark\""));
}

TEST(LineChart, StepsHoldTheirValue) {
  const std::string svg = drawn({{0, 65536}, {10, 32768}, {20, 32768}},
                                {.title = "Loss scale", .scale = Scale::log2, .steps = true});
  EXPECT_EQ(count_of(svg, "H"), 1 + 2);  // the legend's line, and one to each next point
  EXPECT_THAT(svg, HasSubstr(">65536</text>"));
  EXPECT_THAT(svg, HasSubstr(">32768</text>"));
}

TEST(LineChart, ALongSeriesStaysSmall) {
  std::vector<Point> points;
  for (int i = 0; i < 200000; ++i) points.push_back({i * 1.0, std::cos(i * 0.1)});
  EXPECT_LT(drawn(std::move(points)).size(), 40000u);
}

}  // namespace
}  // namespace cupel::pipeline::chart

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "pipeline/chart.h"
#include "support/markup.h"

namespace cupel::pipeline::chart {
namespace {

using testing::HasSubstr;

TEST(HistogramChart, PartsOfABinStandOnEachOtherAndTheirSumsInTheLegend) {
  const std::string svg = histogram({.title = "Rows <by> cosine",
                                     .x_label = "cosine",
                                     .names = {"stay", "go"},
                                     .bins = {{0, 0.5, {10, 0}}, {0.5, 1, {5, 15}}},
                                     .threshold = 0.5});
  EXPECT_EQ(markup_problem(svg), "");
  // 144 units of height for 20 rows: the stack of 5 and 15 reaches the top.
  EXPECT_THAT(svg, HasSubstr("height=\"72.0\"><title>0 to 0.5: stay 10"));
  EXPECT_THAT(svg,
              HasSubstr("y=\"130.0\" width=\"243.0\" height=\"36.0\"><title>0.5 to 1: stay 5"));
  EXPECT_THAT(svg, HasSubstr("y=\"22.0\" width=\"243.0\" height=\"108.0\"><title>0.5 to 1: go 15"));
  EXPECT_EQ(count_of(svg, "class=\"fill\" x=\"5\""), 2) << "legend";
  EXPECT_THAT(svg, HasSubstr("stay <b>15</b>"));
  EXPECT_THAT(svg, HasSubstr("go <b>15</b>"));
  EXPECT_THAT(svg, HasSubstr("threshold 0.5"));
}

TEST(HistogramChart, BinsThatCannotBeDrawnAreLeftOut) {
  const std::string svg = histogram({.title = "x",
                                     .names = {"a"},
                                     .bins = {{NAN, 1, {1}},
                                              {0, 1, {-1}},
                                              {0, 1, {NAN}},
                                              {2, 1, {1}},
                                              {0, INFINITY, {1}},
                                              {1, 1, {1, 7}}},
                                     .threshold = NAN});
  EXPECT_EQ(markup_problem(svg), "");
  EXPECT_EQ(count_of(svg, "<title>"), 1) << "a bin without width is a thin column";
  EXPECT_EQ(count_of(svg, "threshold"), 0);
  EXPECT_EQ(histogram({.title = "none"}), "");
  EXPECT_EQ(histogram({.title = "none", .names = {"a"}, .bins = {{0, 1, {0}}}}), "");
}

}  // namespace
}  // namespace cupel::pipeline::chart

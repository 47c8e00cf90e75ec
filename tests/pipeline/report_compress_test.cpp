#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/config_doc.h"
#include "compress/compress.h"
#include "pipeline/report_html.h"
#include "support/markup.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

TEST(CompressSection, ShowsTheChainAndWhatPruningCost) {
  compress::Report report;
  report.pruned_share = 0.4167;
  report.bytes = {91095880, 17296968};
  report.parameters = {22770966, 19818006};
  report.steps = {"fp32", "pruned_w4a8"};
  report.latency_ms = {
      {"fp32", {6.06, 7.83}}, {"fp32_eager", {7.5, 8.1}}, {"pruned_w4a8", {1.21, 1.56}}};
  report.accuracy = {{"fp32", 0.9547}, {"pruned_w4a8", 0.956}};
  report.accuracy_interval = {{"fp32", {0.9453, 0.9625}}, {"pruned_w4a8", {0.9467, 0.9637}}};
  report.accuracy_drop_points = -0.13;
  report.latency_ratio = 5.004;
  report.rounds = {{1, 10, 0.3, {{0, 1536, 1216, 0.01}, {1, 1536, 1216, 0.02}}},
                   {2, 10, 0.2, {{0, 1216, 896, 0.03}, {1, 1216, 896, 0.04}}}};
  const std::string html = compress_section(to_json(report));
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_EQ(count_of(html, "<figure>"), 4);
  EXPECT_THAT(html, HasSubstr("41.7 %"));
  EXPECT_THAT(html, HasSubstr("pruned_w4a8"));
  EXPECT_THAT(html, HasSubstr("[0.9467, 0.9637]"));
  EXPECT_EQ(count_of(html, "<tr>"), 4 + 5);
}

TEST(CompressSection, ShowsWhatCodesCostALanguageModel) {
  compress::Report report;
  report.bytes = {269060552, 90123456};
  report.language = {{"fp32", 5000, 20.1, 0, {0, 0}, 1, 700, 30},
                     {"w4", 5000, 21.2, 0.0431, {0.041, 0.045}, 0.91, 690, 31},
                     {"w4a8", 5000, 21.4, 0.0502, {0.048, 0.052}, 0.9, 2100, 95}};
  const std::string html = compress_section(to_json(report));
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_EQ(count_of(html, "<figure>"), 3);
  EXPECT_THAT(html, HasSubstr("0.0502"));
  EXPECT_THAT(html, testing::Not(HasSubstr("channels pruned")));
}

TEST(CompressSection, WithoutMeasurementsOrPruningShowsSizesAlone) {
  compress::Report report;
  report.bytes = {100, 50};
  const std::string html = compress_section(to_json(report));
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_EQ(count_of(html, "<figure>"), 0);
  EXPECT_EQ(markup_problem(compress_section(json::Object{{"steps", 3}})), "");
}

}  // namespace
}  // namespace cupel::pipeline

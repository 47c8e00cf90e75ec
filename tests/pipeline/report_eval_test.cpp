#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/config_doc.h"
#include "pipeline/claims.h"
#include "pipeline/eval.h"
#include "pipeline/report_html.h"
#include "support/markup.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;

TEST(EvalSection, ATableAndOneChartAMetric) {
  eval::Report report;
  report.tasks["a<b"] = {.metric = "bits_per_byte",
                         .value = 2.05,
                         .interval = {2.01, 2.09},
                         .n = 28,
                         .perplexity = 17.5,
                         .baseline = eval::BaselineReport{.name = "5-gram", .value = 2.31}};
  report.tasks["code"] = {.metric = "bits_per_byte", .value = 3, .interval = {2, 4}, .n = 3};
  report.tasks["arithmetic"] = {
      .metric = "exact_match", .value = 0.7, .interval = {0.6, 0.8}, .n = 300};
  const std::string html = eval_section(to_json(report));
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_EQ(count_of(html, "<figure>"), 2);
  EXPECT_EQ(count_of(html, "<tr>"), 4);
  EXPECT_THAT(html, HasSubstr("[2.01, 2.09]"));
  EXPECT_THAT(html, HasSubstr("2.31 (5-gram)"));
  EXPECT_THAT(html, HasSubstr("17.5"));
  EXPECT_THAT(html, HasSubstr("a&lt;b"));
}

TEST(EvalSection, AReportOfAnotherShapeIsStillShown) {
  EXPECT_THAT(eval_section(json::Object{{"tasks", 3}}), HasSubstr("tasks"));
  EXPECT_EQ(markup_problem(eval_section(json::parse(R"({"tasks": {"x": 1, "y": {}}})", "t"))), "");
}

TEST(ClaimsSection, SaysWhatWasMetMissedAndSkipped) {
  claims::Report report;
  claims::Row row{.id = "learning",
                  .statement = "learns",
                  .metric = "gain",
                  .value = 0.5,
                  .interval = std::array{0.25, 0.75},
                  .bar = ">= 0.3",
                  .pass = true};
  report.claims.push_back(row);
  row.pass = false;
  report.claims.push_back(row);
  row.pass.reset();
  row.value.reset();
  row.interval.reset();
  row.reason = "skipped: adult";
  report.claims.push_back(row);
  const std::string html = claims_section(to_json(report));
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_EQ(count_of(html, ">met<"), 1);
  EXPECT_EQ(count_of(html, ">missed<"), 1);
  EXPECT_EQ(count_of(html, "skipped: adult"), 1);
  EXPECT_EQ(count_of(html, "learns"), 1) << "said once, above the rows of its claim";
  EXPECT_EQ(count_of(html, "<figure>"), 2);
}

TEST(ClaimsSection, FiguresAtSettingsOfOneNameAreACurve) {
  claims::Report report;
  for (const char* metric : {"residual_at_fit_0.9", "residual_at_fit_0.5", "valid_lost_at_fit_0.5",
                             "look_at_me", "f1_at_fit_x"})
    report.claims.push_back({.id = "1.2", .metric = metric, .value = 0.25});
  const std::string html = claims_section(to_json(report));
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_EQ(count_of(html, "<figure>"), 1) << "the curve; what has no bar has no chart of its own";
  EXPECT_THAT(html, HasSubstr("over fit"));
  EXPECT_THAT(html, HasSubstr("valid_lost"));
}

}  // namespace
}  // namespace cupel::pipeline

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/config_doc.h"
#include "pipeline/report_html.h"
#include "support/markup.h"
#include "train/train.h"

namespace cupel::pipeline {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The report as train writes it, so that a field renamed there is missed here.
json::Value sample_report() {
  train::Report report;
  report.steps = 300;
  report.tokens = 1200000;
  report.val_loss = 1.75;
  report.val_bits_per_byte = 2.125;
  report.tokens_per_second = 9741.8;
  report.step_ms = {210, 224};
  report.planned_memory_bytes = 100 << 20;
  report.peak_tensor_bytes = 99 << 20;
  report.precision = {nn::Precision::mixed, nn::Precision::bf16, "no FP16 units"};
  report.loss_scale = nn::LossScaleReport{4096, 6, 5};
  report.samples = {{"ROMEO:", "</pre><script>alert(1)</script>", "What, & art"}};
  return to_json(report);
}

RunFolder sample_run() {
  RunFolder run;
  for (int step = 1; step <= 50; ++step) {
    run.metrics["loss"].push_back({step * 1.0, step == 25 ? NAN : 5.0 / step + 1});
    run.metrics["loss_scale"].push_back({step * 1.0, step < 20 ? 65536.0 : 32768.0});
    for (int expert = 0; expert < 4; ++expert)
      run.metrics["expert_load/1/" + std::to_string(expert)].push_back({step * 1.0, 1.0 + expert});
  }
  run.metrics["val_loss"] = {{25, 1.9}, {50, 1.75}};
  run.metrics["expert_load/x/y"] = {{1, 1}};
  return run;
}

TEST(TrainSection, KeyFiguresAreTiles) {
  const std::string html = train_section(sample_report(), sample_run());
  EXPECT_EQ(markup_problem(html), "");
  for (const char* text : {"<dd>1.75</dd>", "<dd>2.125</dd>", "<dd>9,742</dd>", "<dd>bf16</dd>",
                           "asked: mixed; no FP16 units", "<dd>4,096</dd>",
                           "6 overflows, 5 steps skipped", "<dd>99 MiB</dd>", "1.2M tokens"})
    EXPECT_THAT(html, HasSubstr(text));
}

TEST(TrainSection, SamplesAreEscaped) {
  const std::string html = train_section(sample_report(), {});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;/pre&gt;&lt;script&gt;"));
  EXPECT_THAT(html, HasSubstr("What, &amp; art"));
}

TEST(TrainSection, CurvesAreDrawnForTheMetricsThereAre) {
  const std::string html = train_section(sample_report(), sample_run());
  EXPECT_EQ(count_of(html, "<figure>"), 4);  // loss, loss scale, memory, experts
  EXPECT_EQ(count_of(html, "class=\"cell\""), 4 * 50);
  EXPECT_THAT(html, HasSubstr("validation <b>1.75</b>"));
}

TEST(TrainSection, WithoutALoadForEachExpertTheBusiestIsDrawn) {
  RunFolder run;
  run.metrics["max_expert_load"] = {{1, 1.5}, {2, 1.25}};
  EXPECT_THAT(train_section(json::Object{}, run), HasSubstr("Busiest expert"));
}

TEST(TrainSection, AReportOfTheWrongTypesLeavesThemOut) {
  const json::Value report =
      json::parse(R"({"val_loss": "x", "samples": 3, "precision": [], "step_ms": null})", "test");
  const std::string html = train_section(report, {});
  EXPECT_EQ(markup_problem(html), "");
  EXPECT_THAT(html, Not(HasSubstr("validation loss")));
}

}  // namespace
}  // namespace cupel::pipeline

#include "nn/step_clock.h"

#include <gtest/gtest.h>

#include <map>

namespace cupel::nn {
namespace {

TEST(StepClock, LogsTheStepsSinceTheLastTimeAndReportsAll) {
  cupel::Run run({.threads = 1});
  std::map<std::string, double> metrics;
  run.subscribe([&](const Event& event) { metrics[std::string(event.name)] = event.value; });
  StepClock clock;
  clock.add(100, 50);
  clock.log(run, 1);
  EXPECT_DOUBLE_EQ(metrics["step_ms"], 100);
  EXPECT_DOUBLE_EQ(metrics["tokens_per_second"], 500);
  clock.add(200, 50);
  clock.add(300, 50);
  clock.log(run, 3);
  EXPECT_DOUBLE_EQ(metrics["step_ms"], 250);
  EXPECT_DOUBLE_EQ(metrics["tokens_per_second"], 200);
  FitReport report;
  clock.report(report);
  EXPECT_DOUBLE_EQ(report.tokens_per_second, 250);
  EXPECT_DOUBLE_EQ(report.step_ms.p50, 200);
}

TEST(StepClock, WithoutAStepThereIsNothingToTell) {
  cupel::Run run({.threads = 1});
  int told = 0;
  run.subscribe([&](const Event&) { ++told; });
  StepClock clock;
  clock.log(run, 0);
  FitReport report;
  clock.report(report);
  EXPECT_EQ(told, 0);
  EXPECT_EQ(report.tokens_per_second, 0);
}

}  // namespace
}  // namespace cupel::nn

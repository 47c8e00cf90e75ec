#include "pipeline/resources.h"

#include <gmock/gmock.h>

#include "base/parallel.h"
#include "kernels/kernels.h"

namespace cupel::pipeline {
namespace {

TEST(Resources, StandBesideAReportsOwnFields) {
  json::Value report = json::Object{{"steps", 3}};
  add_resources(report, 1.5, 2);
  EXPECT_EQ(report.at("steps", "").as_int(""), 3);
  EXPECT_EQ(report.at("seconds", "").as_double(""), 1.5);
  EXPECT_EQ(report.at("threads", "").as_int(""), 2);
  EXPECT_EQ(report.at("isa_row", "").as_string(""), kernels().name);
  // A page that is resident is 4 KiB at least.
  EXPECT_GT(report.at("peak_memory_bytes", "").as_int(""), 4096);
}

TEST(Resources, NoThreadsAskedForMeansAllThereAre) {
  json::Value report = json::Object{};
  add_resources(report, 0, 0);
  EXPECT_EQ(report.at("threads", "").as_int(""), available_threads());
}

}  // namespace
}  // namespace cupel::pipeline

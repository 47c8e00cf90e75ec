#include "pipeline/doctor.h"

#include <gmock/gmock.h>

#include <cstdlib>

namespace cupel::pipeline {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(Doctor, TellsTheMachineAndTheRowInUse) {
  const DoctorReport report = doctor({}, {});
  EXPECT_FALSE(report.cpu.empty());
  EXPECT_GE(report.cores, report.usable_cores);
  EXPECT_GT(report.memory_bytes, 0);
  EXPECT_GT(report.free_disk_bytes, 0);
  EXPECT_EQ(report.isa_rows.back(), "scalar");
  EXPECT_THAT(report.isa_rows, Contains(report.isa_row));
}

TEST(Doctor, KnowsLibTorchWhereItIsLoaded) {
  Request request;
  request.heavy.libraries = []() -> json::Value { return json::Object{{"libtorch", "2.11.0"}}; };
  const DoctorReport report = doctor({}, request);
  EXPECT_EQ(report.libtorch, "2.11.0");
  EXPECT_THAT(report.problems, Not(Contains(HasSubstr("cupel-nn"))));
}

TEST(Doctor, EveryProblemIsALineOfTheText) {
  DoctorReport report;
  report.problems = {"no gold: buy some"};
  EXPECT_THAT(report.text(), HasSubstr("problem: no gold: buy some\n"));
  EXPECT_THAT(report.text(), HasSubstr("libtorch         not found\n"));
}

}  // namespace
}  // namespace cupel::pipeline

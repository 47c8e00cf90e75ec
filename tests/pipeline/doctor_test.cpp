#include "pipeline/doctor.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "kernels/dispatch.h"

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
  EXPECT_THAT(report.text(), HasSubstr("libraries\n  LibTorch not found\n"));
}

TEST(Doctor, EveryKernelRowIsALineOfTheText) {
  DoctorReport report;
  report.isa_rows = {"avx512", "avx2", "scalar"};
  report.isa_rows_missing = {"amx", "avx512vnni"};
  report.isa_row = "avx512";
  EXPECT_THAT(report.text(), HasSubstr("kernel rows\n"
                                       "  amx         not on this machine\n"
                                       "  avx512vnni  not on this machine\n"
                                       "  avx512      in use, the fastest available\n"
                                       "  avx2        available\n"
                                       "  scalar      available\n"));
  report.isa_row = report.isa_forced = "avx2";
  EXPECT_THAT(report.text(), HasSubstr("  avx2        in use, as CUPEL_ISA says\n"));
}

TEST(Doctor, ARowIsAvailableOrMissing) {
  const DoctorReport report = doctor({}, {});
  for (const std::string_view name : row_names()) {
    const std::string row(name);
    EXPECT_EQ(std::count(report.isa_rows.begin(), report.isa_rows.end(), row) +
                  std::count(report.isa_rows_missing.begin(), report.isa_rows_missing.end(), row),
              1)
        << row;
  }
}

TEST(Doctor, LibrariesFillLinesOfATerminal) {
  DoctorReport report = doctor({}, {});
  EXPECT_GE(report.libraries.size(), 9u);
  report.libtorch = "2.11.0";
  const std::string text = report.text();
  EXPECT_THAT(text, HasSubstr("libraries\n  LibTorch 2.11.0, OpenSSL "));
  EXPECT_THAT(text, HasSubstr(", zstd " + report.libraries.at("zstd") + "\n"));
  std::size_t begin = text.find("libraries\n");
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    if (text.compare(begin, 9, "problem: ") == 0) break;
    EXPECT_LE(end - begin, 100u);
  }
}

}  // namespace
}  // namespace cupel::pipeline

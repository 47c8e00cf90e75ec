#include "pipeline/figures.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::pipeline {
namespace {

TEST(Figures, BytesHaveTheLargestUnitBelowThem) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(3.5 * 1024 * 1024), "3.5 MiB");
  EXPECT_EQ(bytes_text(0x1p42), "4.0 TiB");
}

TEST(Figures, DurationsNeverShowSixtySeconds) {
  EXPECT_EQ(seconds_text(0.0081), "8.1 ms");
  EXPECT_EQ(seconds_text(12.44), "12.4 s");
  EXPECT_EQ(seconds_text(59.96), "1m 00s");
  EXPECT_EQ(seconds_text(231), "3m 51s");
  EXPECT_EQ(seconds_text(3725), "1h 02m");
  EXPECT_EQ(seconds_text(INFINITY), "unknown");
}

TEST(Figures, NumbersAreThoseOfTheReportsPage) {
  EXPECT_EQ(figures_text(json::Object{{"tokens", 1234567}}), "  tokens  1,234,567\n");
  EXPECT_EQ(figures_text(json::Object{{"loss", 1.234567}}), "  loss  1.235\n");
  EXPECT_EQ(figures_text(json::Object{{"tokens_per_second", 11307.4}}),
            "  tokens_per_second  11,307\n");
}

TEST(Figures, AReportIsOneLineAValueThatIsThere) {
  const json::Value report = json::parse(
      R"({"steps": 3, "peak_memory_bytes": 2048, "seconds": 2.5, "scale": {"final": 8.0},
          "scaled": null, "reason": "", "samples": [{"prompt": "a"}], "rows": ["avx2", "scalar"], "fits": true})",
      "report");
  EXPECT_EQ(figures_text(report),
            "  steps              3\n"
            "  peak_memory_bytes  2.0 KiB\n"
            "  seconds            2.5 s\n"
            "  scale.final        8\n"
            "  reason             none\n"
            "  samples            1 rows\n"
            "  rows               avx2, scalar\n"
            "  fits               yes\n");
}

}  // namespace
}  // namespace cupel::pipeline

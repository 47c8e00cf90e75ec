#include "pipeline/export_model.h"

#include <gtest/gtest.h>

namespace cupel::pipeline::exporter {
namespace {

TEST(ExportModel, AllowsMoreTheFewerBitsAWeightHas) {
  Config config;
  EXPECT_EQ(config.error_limit(), 1e-4);
  config.dtype = WeightType::f16;
  EXPECT_EQ(config.error_limit(), 0.02);
  config.dtype = WeightType::bf16;
  EXPECT_EQ(config.error_limit(), 0.1);
  config.max_logit_error = 3;
  EXPECT_EQ(config.error_limit(), 3);
}

TEST(ExportModel, WritesGgufInFp16UnlessToldOtherwise) {
  Config config;
  EXPECT_EQ(config.weight_type(), WeightType::f32);
  config.format = Format::gguf;
  EXPECT_EQ(config.weight_type(), WeightType::f16);
  EXPECT_EQ(config.error_limit(), 0.02);
  config.dtype = WeightType::f32;
  EXPECT_EQ(config.weight_type(), WeightType::f32);
}

TEST(ExportModel, AnErrorAboveTheLimitIsTheCommands) {
  Report report;
  report.parity.pass = true;
  EXPECT_EQ(report.exit_code(), 0);
  EXPECT_EQ(report.details(), "");
  report.parity.pass = false;
  report.parity.max_logit_error = 0.5;
  report.parity.limit = 0.25;
  EXPECT_EQ(report.exit_code(), 1);
  EXPECT_NE(report.details().find("differ by 0.5, more than 0.25"), std::string::npos);
}

}  // namespace
}  // namespace cupel::pipeline::exporter

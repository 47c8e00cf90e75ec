#include "nn/precision.h"

#include <gtest/gtest.h>

namespace cupel::nn {
namespace {

TEST(Precision, MixedTakesFp16WhereTheDeviceMultipliesIt) {
  EXPECT_EQ(resolve_precision(Precision::mixed, true, true).compute, Precision::fp16);
}

TEST(Precision, MixedTakesBf16OnACpuAndSaysWhy) {
  const PrecisionReport report = resolve_precision(Precision::mixed, false, true);
  EXPECT_EQ(report.requested, Precision::mixed);
  EXPECT_EQ(report.compute, Precision::bf16);
  EXPECT_NE(report.reason.find("no FP16 matrix units"), std::string::npos);
}

TEST(Precision, TellsWhenBf16BringsNoSpeed) {
  for (Precision requested : {Precision::mixed, Precision::bf16}) {
    EXPECT_NE(resolve_precision(requested, false, false).reason.find("no faster than fp32"),
              std::string::npos);
    EXPECT_EQ(resolve_precision(requested, false, true).reason.find("no faster than fp32"),
              std::string::npos);
  }
}

TEST(Precision, Fp16IsCarriedOutWhereItIsAskedFor) {
  const PrecisionReport report = resolve_precision(Precision::fp16, false, false);
  EXPECT_EQ(report.compute, Precision::fp16);
  EXPECT_NE(report.reason.find("exact"), std::string::npos);
}

TEST(Precision, Fp32StaysFp32) {
  EXPECT_EQ(resolve_precision(Precision::fp32, true, true).compute, Precision::fp32);
}

}  // namespace
}  // namespace cupel::nn

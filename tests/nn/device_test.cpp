#include "nn/device.h"

#include <gtest/gtest.h>

#include "kernels/kernels.h"

namespace cupel::nn {
namespace {

TEST(Device, HasFp16UnitsOnAGpuOnly) {
  EXPECT_FALSE(has_fp16_units());
  EXPECT_TRUE(has_fp16_units(DeviceKind::cuda));
  EXPECT_TRUE(has_bf16_units(DeviceKind::cuda));
}

TEST(Device, MultipliesBf16InHardwareOnlyOnRowsThatCan) {
  const std::string_view row = kernels().name;
  const bool cannot = row == "scalar" || row == "avx2" || row == "avx512";
  EXPECT_FALSE(cannot && has_bf16_units()) << row;
  EXPECT_TRUE(row != "amx" || has_bf16_units());
}

}  // namespace
}  // namespace cupel::nn

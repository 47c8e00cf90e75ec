#include "nn/device.h"

#include <gtest/gtest.h>

#include "kernels/kernels.h"

namespace cupel::nn {
namespace {

TEST(Device, HasNoFp16UnitsOnACpu) { EXPECT_FALSE(has_fp16_units()); }

TEST(Device, MultipliesBf16InHardwareOnlyOnRowsThatCan) {
  const std::string_view row = kernels().name;
  if (row == "scalar" || row == "avx2" || row == "avx512") {
    EXPECT_FALSE(has_bf16_units()) << row;
  }
  if (row == "amx") {
    EXPECT_TRUE(has_bf16_units());
  }
}

}  // namespace
}  // namespace cupel::nn

#include "nn/device_nn.h"

#include <gtest/gtest.h>

#include "nn/torch_nn.h"

namespace cupel::nn {
namespace {

TEST(DeviceNn, SetsTheThreadsOfLibTorch) {
  const int before = at::get_num_threads();
  use_threads(3);
  EXPECT_EQ(at::get_num_threads(), 3);
  use_threads(before);
}

TEST(DeviceNn, TheCpuIsTakenAsAsked) {
  const DeviceReport report = choose_device(DeviceKind::cpu, 0);
  EXPECT_EQ(report.used, DeviceKind::cpu);
  EXPECT_EQ(report.reason, "as asked");
}

TEST(DeviceNn, WithoutAUsableGpuItIsTheCpuAndTheReasonIsSaid) {
  if (choose_device(DeviceKind::automatic, 0).used == DeviceKind::cuda)
    GTEST_SKIP() << "there is a GPU";
  const DeviceReport report = choose_device(DeviceKind::cuda, 3);
  EXPECT_EQ(report.requested, DeviceKind::cuda);
  EXPECT_EQ(report.used, DeviceKind::cpu);
  EXPECT_NE(report.reason, "");
  EXPECT_NE(report.reason, "as asked");
}

TEST(DeviceNn, IsBuiltWithTheVersionThatSetupFetches) { EXPECT_EQ(libtorch_version(), "2.11.0"); }

}  // namespace
}  // namespace cupel::nn

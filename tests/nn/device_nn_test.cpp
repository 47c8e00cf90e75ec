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

TEST(DeviceNn, IsBuiltWithTheVersionThatSetupFetches) { EXPECT_EQ(libtorch_version(), "2.11.0"); }

}  // namespace
}  // namespace cupel::nn

#include "nn/conv_net.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace cupel::nn {
namespace {

TEST(ConvNet, HasTheShapesThatItsLayersSay) {
  const ConvShape shapes[] = {{4, 3, true}, {6, 5, true}, {8, 3, false}};
  const ConvNet net = make_conv_net(2, 9, 12, shapes, 3, Rng(1, "weights"));
  EXPECT_EQ(net.layers[1].in, 4);
  EXPECT_EQ(net.layers[1].weight.size(), 6u * 4 * 25);
  EXPECT_EQ(net.places(), 2 * 3) << "pooling rounds down";
  EXPECT_EQ(net.features(), 8 * 6);
  EXPECT_EQ(net.parameters(), 4 * 2 * 9 + 4 + 6 * 4 * 25 + 6 + 8 * 6 * 9 + 8 + 3 * 48 + 3);
}

TEST(ConvNet, WeightsReachTheBoundOfTheirFanInAndNotBeyond) {
  const ConvShape shapes[] = {{32, 3, false}};
  const ConvNet net = make_conv_net(4, 8, 8, shapes, 2, Rng(1, "weights"));
  const auto most = [](const std::vector<float>& values) {
    return std::abs(*std::ranges::max_element(values, {}, [](float v) { return std::abs(v); }));
  };
  EXPECT_LE(most(net.layers[0].weight), 1 / std::sqrt(36.0f));
  EXPECT_GT(most(net.layers[0].weight), 0.95f / std::sqrt(36.0f));
  EXPECT_LE(most(net.head_weight), 1 / std::sqrt(32.0f * 64));
}

}  // namespace
}  // namespace cupel::nn

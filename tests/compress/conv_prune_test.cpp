#include "compress/conv_prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "support/errors.h"

namespace cupel::compress {
namespace {

using testing::ElementsAre;

/// Three convolutions of 5, 4 and 10 channels on images of 4 x 4.
nn::ConvNet small_net() {
  const nn::ConvShape shapes[] = {{5, 3, true}, {4, 1, false}, {10, 3, false}};
  return nn::make_conv_net(1, 4, 4, shapes, 3, Rng(1, "weights"));
}

void set_filter(nn::ConvLayer& layer, int64_t channel, float value) {
  const int64_t filter = layer.in * layer.kernel * layer.kernel;
  for (int64_t i = 0; i < filter; ++i)
    layer.weight[static_cast<std::size_t>(channel * filter + i)] = i % 2 == 0 ? value : -value;
}

TEST(StructuredPrune, RemovesTheChannelsAtOrBelowThePercentile) {
  nn::ConvNet net = small_net();
  const float sizes[] = {3, 1, 5, 2, 4};
  for (int64_t j = 0; j < 5; ++j) set_filter(net.layers[0], j, sizes[j]);
  const PrunedLayer first = structured_prune(net, 0.4).front();
  EXPECT_THAT(first.importance, ElementsAre(3, 1, 5, 2, 4));
  EXPECT_NEAR(first.threshold, 2.6, 1e-12) << "numpy.percentile([3, 1, 5, 2, 4], 40)";
  EXPECT_THAT(first.kept, ElementsAre(0, 2, 4));
}

TEST(StructuredPrune, OfEqualChannelsTheFirstGo) {
  nn::ConvNet net = small_net();
  for (int64_t j = 0; j < 5; ++j) set_filter(net.layers[0], j, 1);
  EXPECT_THAT(structured_prune(net, 0.4).front().kept, ElementsAre(2, 3, 4));
}

TEST(StructuredPrune, ShapesAreSmallerAndTheNextLayerReadsWhatIsLeft) {
  const nn::ConvNet whole = small_net();
  nn::ConvNet net = whole;
  const auto pruned = structured_prune(net, 0.4);
  const auto [first, second, third] = std::tuple{pruned[0].kept, pruned[1].kept, pruned[2].kept};
  EXPECT_EQ(net.layers[0].out, 3);
  EXPECT_EQ(net.layers[1].in, 3);
  EXPECT_EQ(net.layers[1].out, 2);
  EXPECT_EQ(net.layers[2].weight.size(), 6u * 2 * 9);
  EXPECT_EQ(net.layers[2].bias.size(), 6u);
  EXPECT_EQ(net.head_weight.size(), 3u * 6 * 4);
  const auto at = [](const auto& values, int64_t i) { return values[static_cast<std::size_t>(i)]; };
  for (int64_t o = 0; o < 6; ++o)
    for (int64_t c = 0; c < 2; ++c)
      for (int64_t p = 0; p < 9; ++p)
        EXPECT_EQ(at(net.layers[2].weight, (o * 2 + c) * 9 + p),
                  at(whole.layers[2].weight, (at(third, o) * 4 + at(second, c)) * 9 + p));
  for (int64_t k = 0; k < 3; ++k)
    for (int64_t c = 0; c < 6; ++c)
      for (int64_t p = 0; p < 4; ++p)
        EXPECT_EQ(at(net.head_weight, (k * 6 + c) * 4 + p),
                  at(whole.head_weight, (k * 10 + at(third, c)) * 4 + p));
}

TEST(StructuredPrune, AMaskHasZerosForWhatWasCutAndNothingElse) {
  const nn::ConvNet whole = small_net();
  nn::ConvNet net = whole, masked = whole;
  const auto pruned = structured_prune(net, 0.4);
  mask_channels(masked, pruned);
  for (int64_t j = 0; j < 5; ++j) {
    const bool kept = std::ranges::binary_search(pruned[0].kept, j);
    const auto filter = static_cast<std::size_t>(j * 9), bias = static_cast<std::size_t>(j);
    EXPECT_EQ(masked.layers[0].weight[filter], kept ? whole.layers[0].weight[filter] : 0);
    EXPECT_EQ(masked.layers[0].bias[bias], kept ? whole.layers[0].bias[bias] : 0);
  }
}

TEST(StructuredPrune, RefusesWhatLeavesNoChannelAndChangesNothing) {
  nn::ConvNet net = small_net();
  const int64_t before = net.parameters();
  for (const double ratio : {0.0, 1.0, -0.5, std::numeric_limits<double>::quiet_NaN()})
    EXPECT_THAT([&] { structured_prune(net, ratio); },
                throws_error(ErrorKind::config, "is not above 0 and below 1"));
  const nn::ConvShape one[] = {{3, 3, false}, {1, 3, false}};
  nn::ConvNet narrow = nn::make_conv_net(1, 4, 4, one, 2, Rng(1, "weights"));
  EXPECT_THAT([&] { structured_prune(narrow, 0.4); },
              throws_error(ErrorKind::config, "leaves none of the 1 channels of convolution 1"));
  EXPECT_EQ(narrow.layers[0].out, 3);
  net.layers[2].weight[5] = std::numeric_limits<float>::infinity();
  EXPECT_THAT([&] { structured_prune(net, 0.4); },
              throws_error(ErrorKind::data, "convolution 2: its weights are not finite"));
  EXPECT_EQ(net.parameters(), before);
}

}  // namespace
}  // namespace cupel::compress

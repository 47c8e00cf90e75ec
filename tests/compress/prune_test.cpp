#include "compress/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "base/rng.h"
#include "support/errors.h"

namespace cupel::compress {
namespace {

/// A layer and calibration rows; channels are mixtures of fewer causes, so some can stand in for
/// others, and have means that are not zero.
struct Layer {
  int64_t n = 48, out = 10, rows = 400, causes = 16;
  std::vector<float> down, x;
  std::vector<double> moments;

  explicit Layer(uint64_t seed, double noise = 0.3) {
    Rng rng(seed, "layer");
    std::vector<double> mixture;
    for (int64_t i = 0; i < causes * n; ++i) mixture.push_back(rng.normal());
    for (int64_t i = 0; i < out * n; ++i) down.push_back(static_cast<float>(rng.normal()));
    for (int64_t r = 0; r < rows; ++r) {
      std::vector<double> cause;
      for (int64_t c = 0; c < causes; ++c) cause.push_back(rng.normal());
      for (int64_t j = 0; j < n; ++j) {
        double sum = 0.5 * static_cast<double>(j % 3) + noise * rng.normal();
        for (int64_t c = 0; c < causes; ++c)
          sum += cause[static_cast<std::size_t>(c)] * mixture[static_cast<std::size_t>(c * n + j)];
        x.push_back(static_cast<float>(sum));
      }
    }
    measure();
  }

  void measure() {
    moments.assign(static_cast<std::size_t>((n + 1) * (n + 1)), 0);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t a = 0; a <= n; ++a)
        for (int64_t b = 0; b <= n; ++b)
          moments[static_cast<std::size_t>(a * (n + 1) + b)] += at(r, a) * at(r, b);
  }

  double at(int64_t row, int64_t channel) const {
    return channel == n ? 1 : static_cast<double>(x[static_cast<std::size_t>(row * n + channel)]);
  }

  ChannelGroup group() const {
    return {{down.data(), out, n, n}, {moments.data(), n + 1, n + 1, n + 1}};
  }

  /// As PrunedChannels::error has it, from the rows themselves.
  double error_of(const PrunedChannels& pruned) const {
    double error = 0, size = 0;
    const auto keep = static_cast<int64_t>(pruned.kept.size());
    for (int64_t i = 0; i < out; ++i) {
      std::vector<double> y;
      double mean = 0;
      for (int64_t r = 0; r < rows; ++r) {
        double whole = 0, rest = static_cast<double>(pruned.bias[static_cast<std::size_t>(i)]);
        for (int64_t j = 0; j < n; ++j)
          whole += at(r, j) * static_cast<double>(down[static_cast<std::size_t>(i * n + j)]);
        for (int64_t k = 0; k < keep; ++k)
          rest += at(r, pruned.kept[static_cast<std::size_t>(k)]) *
                  static_cast<double>(pruned.down[static_cast<std::size_t>(i * keep + k)]);
        error += (whole - rest) * (whole - rest);
        y.push_back(whole);
        mean += whole / static_cast<double>(rows);
      }
      for (const double value : y) size += (value - mean) * (value - mean);
    }
    return error / size;
  }
};

PrunedChannels pruned(const Layer& layer, int64_t keep, Importance importance, int threads = 1) {
  ThreadPool pool(threads);
  return prune_channels(layer.group(), keep, importance, 1e-4, pool);
}

class Pruning : public testing::TestWithParam<Importance> {};

TEST_P(Pruning, LeastSquaresMakesUpForWhatWentAndReportsItsErrorExactly) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Layer layer(seed);
    const PrunedChannels result = pruned(layer, 29, GetParam());
    EXPECT_EQ(result.kept.size(), 29u);
    EXPECT_TRUE(std::ranges::is_sorted(result.kept));
    EXPECT_LT(result.error, 0.2 * result.error_before);
    EXPECT_NEAR(result.error, layer.error_of(result), 1e-6);
    EXPECT_EQ(result.importance.size(), 48u);
  }
}

TEST_P(Pruning, AnyNumberOfThreadsGivesTheSameBits) {
  const Layer layer(7);
  const PrunedChannels one = pruned(layer, 20, GetParam());
  const PrunedChannels three = pruned(layer, 20, GetParam(), 3);
  EXPECT_EQ(one.kept, three.kept);
  EXPECT_EQ(one.down, three.down);
  EXPECT_EQ(one.error, three.error);
}

TEST_P(Pruning, AChannelThatIsNeverActiveGoesFirstAndCostsNothing) {
  Layer layer(5);
  for (int64_t r = 0; r < layer.rows; ++r)
    for (const int64_t j : {3, 17, 40}) layer.x[static_cast<std::size_t>(r * layer.n + j)] = 0;
  for (int64_t i = 0; i < layer.out; ++i)
    for (const int64_t j : {3, 17, 40})
      layer.down[static_cast<std::size_t>(i * layer.n + j)] *= 0.001F;
  layer.measure();
  const PrunedChannels result = pruned(layer, 45, GetParam());
  const std::set<int64_t> kept(result.kept.begin(), result.kept.end());
  for (const int64_t j : {3, 17, 40}) EXPECT_FALSE(kept.contains(j)) << j;
  EXPECT_LT(result.error, 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    , Pruning, testing::Values(Importance::obs, Importance::activation, Importance::magnitude),
    [](const testing::TestParamInfo<Importance>& tested) {
      return std::string(names(Importance{})[static_cast<std::size_t>(tested.param)]);
    });

TEST(PruneChannels, RankingByWhatOthersCanMakeUpForLeavesTheSmallestError) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Layer layer(seed);
    const double obs = pruned(layer, 29, Importance::obs).error;
    EXPECT_LT(obs, pruned(layer, 29, Importance::activation).error) << seed;
    EXPECT_LT(obs, pruned(layer, 29, Importance::magnitude).error) << seed;
  }
}

TEST(PruneChannels, CopiesOfChannelsCostNothing) {
  Layer layer(3);
  for (int64_t r = 0; r < layer.rows; ++r)
    for (int64_t j = 24; j < 48; ++j)
      layer.x[static_cast<std::size_t>(r * 48 + j)] =
          layer.x[static_cast<std::size_t>(r * 48 + j - 24)];
  layer.measure();
  const PrunedChannels result = pruned(layer, 24, Importance::obs);
  std::set<int64_t> causes;
  for (const int64_t j : result.kept) causes.insert(j % 24);
  EXPECT_EQ(causes.size(), 24u) << "one of each pair stays";
  EXPECT_LT(result.error, 1e-6) << result.error;
}

TEST(PruneChannels, MomentsThatAreNotFiniteAreRefused) {
  Layer layer(1);
  layer.moments[5] = layer.moments[5 * 49] = std::nan("");
  EXPECT_THAT([&] { pruned(layer, 20, Importance::obs); },
              throws_error(ErrorKind::data, "they are not finite"));
}

TEST(ChannelsToKeep, AtLeastTheAskedShareGoesInWholeBlocks) {
  EXPECT_EQ(channels_to_keep(1536, 0.4, 32), 896);
  EXPECT_EQ(channels_to_keep(1000, 0.4, 1), 600);
  EXPECT_EQ(channels_to_keep(1536, 0.5, 128), 768);
  EXPECT_THAT([] { channels_to_keep(32, 0.4, 32); },
              throws_error(ErrorKind::config, "32 channels leave 0 at this ratio"));
  EXPECT_THAT([] { channels_to_keep(64, 0, 32); },
              throws_error(ErrorKind::config, "64 channels leave 64"));
}

}  // namespace
}  // namespace cupel::compress

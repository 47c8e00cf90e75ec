#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/conv_net.h"
#include "support/files.h"

namespace cupel::nn {
namespace {

/// Images of 6 x 6 with noise: a bright row (class 0) or a bright column (class 1).
struct Stripes {
  explicit Stripes(int64_t count) {
    Rng rng(2, "stripes");
    for (int64_t i = 0; i < count; ++i) {
      labels.push_back(i % 2);
      const auto line = static_cast<int64_t>(rng.below(6));
      for (int64_t y = 0; y < 6; ++y)
        for (int64_t x = 0; x < 6; ++x)
          pixels.push_back(
              static_cast<float>(((i % 2 == 0 ? y : x) == line ? 1.0 : 0.0) + 0.2 * rng.normal()));
    }
  }
  ImageRows rows() const { return {pixels, labels}; }
  std::vector<float> pixels;
  std::vector<int64_t> labels;
};

ConvNet small_net(uint64_t seed) {
  const ConvShape shapes[] = {{6, 3, true}, {8, 3, false}};
  return make_conv_net(1, 6, 6, shapes, 2, Rng(seed, "weights"));
}

double share_right(const ConvNet& net, const Stripes& stripes, cupel::Run& run) {
  const std::vector<float> logits = conv_net_logits(net, stripes.pixels, run);
  double right = 0;
  for (std::size_t i = 0; i < stripes.labels.size(); ++i)
    right += (logits[2 * i + 1] > logits[2 * i]) == (stripes.labels[i] == 1) ? 1 : 0;
  return right / static_cast<double>(stripes.labels.size());
}

/// Convolution, ReLU, pooling and the linear layer, one product after the other.
std::vector<float> by_hand(const ConvNet& net, const float* image) {
  int64_t rows = net.height, cols = net.width;
  std::vector<float> x(image, image + net.channels * rows * cols);
  const auto at = [&](const std::vector<float>& from, int64_t c, int64_t r, int64_t q) {
    return r < 0 || q < 0 || r >= rows || q >= cols
               ? 0.0f
               : from[static_cast<std::size_t>((c * rows + r) * cols + q)];
  };
  for (const ConvLayer& layer : net.layers) {
    std::vector<float> y;
    const int64_t k = layer.kernel;
    for (int64_t o = 0; o < layer.out; ++o)
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t q = 0; q < cols; ++q) {
          float sum = layer.bias[static_cast<std::size_t>(o)];
          for (int64_t c = 0; c < layer.in; ++c)
            for (int64_t i = 0; i < k; ++i)
              for (int64_t j = 0; j < k; ++j)
                sum +=
                    layer.weight[static_cast<std::size_t>(((o * layer.in + c) * k + i) * k + j)] *
                    at(x, c, r + i - k / 2, q + j - k / 2);
          y.push_back(std::max(sum, 0.0f));
        }
    x = y;
    if (!layer.pool) continue;
    std::vector<float> pooled;
    for (int64_t o = 0; o < layer.out; ++o)
      for (int64_t r = 0; r + 1 < rows; r += 2)
        for (int64_t q = 0; q + 1 < cols; q += 2)
          pooled.push_back(std::max(
              {at(y, o, r, q), at(y, o, r, q + 1), at(y, o, r + 1, q), at(y, o, r + 1, q + 1)}));
    x = pooled;
    rows /= 2;
    cols /= 2;
  }
  std::vector<float> logits = net.head_bias;
  for (std::size_t c = 0; c < logits.size(); ++c)
    for (std::size_t i = 0; i < x.size(); ++i)
      logits[c] += net.head_weight[c * x.size() + i] * x[i];
  return logits;
}

TEST(ConvNetFit, LogitsAreThoseOfTheLayersOneByOne) {
  const Stripes stripes(3);
  const ConvNet net = small_net(1);
  cupel::Run run(RunOptions{});
  const std::vector<float> logits = conv_net_logits(net, stripes.pixels, run);
  ASSERT_EQ(logits.size(), 6u);
  for (std::size_t i = 0; i < 3; ++i) {
    const std::vector<float> expected = by_hand(net, stripes.pixels.data() + i * 36);
    for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(logits[2 * i + c], expected[c], 1e-5);
  }
}

TEST(ConvNetFit, LearnsRowsFromColumns) {
  const Stripes learned(256), measured(200);
  ConvNet net = small_net(1);
  cupel::Run run({.seed = 3, .threads = 2});
  EXPECT_LT(share_right(net, measured, run), 0.8);
  fit_conv_net(net, nullptr, learned.rows(), {.num_epochs = 12, .learning_rate = 1e-2}, run);
  EXPECT_GT(share_right(net, measured, run), 0.95);
}

TEST(ConvNetFit, ATeacherAloneTeachesItsAnswers) {
  const Stripes stripes(256);
  cupel::Run run({.seed = 3, .threads = 2}), other({.seed = 3, .threads = 2});
  ConvNet teacher = small_net(1), student = small_net(2);
  fit_conv_net(teacher, nullptr, stripes.rows(), {.num_epochs = 12, .learning_rate = 1e-2}, run);
  Stripes lies = stripes;
  for (int64_t& label : lies.labels) label = 0;
  fit_conv_net(student, &teacher, lies.rows(),
               {.num_epochs = 12, .learning_rate = 1e-2, .label_weight = 0}, other);
  EXPECT_GT(share_right(student, stripes, other), 0.95) << "whatever the labels say";
}

TEST(ConvNetFit, ARunThatEndedLeavesTheSameNetworkAgain) {
  const TemporaryFolder folder;
  const Stripes stripes(64);
  const auto fitted = [&](bool resume) {
    ConvNet net = small_net(1);
    cupel::Run run({.folder = folder / "run", .seed = 3, .threads = 2, .resume = resume});
    fit_conv_net(net, nullptr, stripes.rows(), {.num_epochs = 3}, run);
    return net.head_weight;
  };
  const std::vector<float> first = fitted(false);
  EXPECT_EQ(fitted(true), first);
}

}  // namespace
}  // namespace cupel::nn

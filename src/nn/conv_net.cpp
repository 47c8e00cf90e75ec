#include "nn/conv_net.h"

#include <cmath>

namespace cupel::nn {
namespace {

std::vector<float> drawn(int64_t size, int64_t fan_in, Rng& rng) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  std::vector<float> values(static_cast<std::size_t>(size));
  for (float& value : values) value = static_cast<float>(bound * (2 * rng.uniform() - 1));
  return values;
}

}  // namespace

int64_t ConvNet::places() const {
  int64_t rows = height, cols = width;
  for (const ConvLayer& layer : layers) {
    if (!layer.pool) continue;
    rows /= 2;
    cols /= 2;
  }
  return rows * cols;
}

int64_t ConvNet::parameters() const {
  std::size_t count = head_weight.size() + head_bias.size();
  for (const ConvLayer& layer : layers) count += layer.weight.size() + layer.bias.size();
  return static_cast<int64_t>(count);
}

ConvNet make_conv_net(int64_t channels, int64_t height, int64_t width,
                      std::span<const ConvShape> shapes, int64_t classes, Rng rng) {
  ConvNet net{channels, height, width, {}, classes, {}, {}};
  int64_t in = channels;
  for (const ConvShape& shape : shapes) {
    const int64_t fan_in = in * shape.kernel * shape.kernel;
    ConvLayer layer{shape.out, in, shape.kernel, shape.pool, {}, {}};
    layer.weight = drawn(shape.out * fan_in, fan_in, rng);
    layer.bias = drawn(shape.out, fan_in, rng);
    net.layers.push_back(std::move(layer));
    in = shape.out;
  }
  net.head_weight = drawn(classes * net.features(), net.features(), rng);
  net.head_bias = drawn(classes, net.features(), rng);
  return net;
}

}  // namespace cupel::nn

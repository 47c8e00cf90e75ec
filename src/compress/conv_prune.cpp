#include "compress/conv_prune.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>

#include "base/error.h"

namespace cupel::compress {
namespace {

std::vector<double> filter_sizes(const nn::ConvLayer& layer) {
  const auto filter = static_cast<std::size_t>(layer.in * layer.kernel * layer.kernel);
  std::vector<double> sizes;
  for (std::size_t begin = 0; begin < layer.weight.size(); begin += filter) {
    double sum = 0;
    for (std::size_t i = begin; i < begin + filter; ++i)
      sum += std::abs(static_cast<double>(layer.weight[i]));
    sizes.push_back(sum / static_cast<double>(filter));
  }
  return sizes;
}

PrunedLayer choose(const nn::ConvLayer& layer, std::size_t index, double prune_ratio) {
  PrunedLayer result{filter_sizes(layer), 0, {}};
  const std::string where = "convolution " + std::to_string(index);
  for (const double size : result.importance)
    if (!std::isfinite(size))
      fail(ErrorKind::data, where, "its weights are not finite", "look at how it was trained");
  std::vector<int64_t> order(result.importance.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto size_of = [&](int64_t j) { return result.importance[static_cast<std::size_t>(j)]; };
  std::ranges::stable_sort(order, std::less(), size_of);
  const double rank = prune_ratio * static_cast<double>(order.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(rank + 1e-9));
  if (below + 1 >= order.size()) {
    fail(ErrorKind::config, "prune_ratio",
         "leaves none of the " + std::to_string(layer.out) + " channels of " + where,
         "take a smaller ratio, or leave layers of one channel out");
  }
  const double share = std::max(0.0, rank - static_cast<double>(below));
  result.threshold = size_of(order[below]) * (1 - share) + size_of(order[below + 1]) * share;
  result.kept.assign(order.begin() + static_cast<std::ptrdiff_t>(below) + 1, order.end());
  std::ranges::sort(result.kept);
  return result;
}

/// Blocks `kept` of each of `rows` rows of blocks of `size` numbers.
std::vector<float> take_blocks(const std::vector<float>& from, int64_t rows, int64_t size,
                               const std::vector<int64_t>& kept) {
  const int64_t row_size = static_cast<int64_t>(from.size()) / rows;
  std::vector<float> taken;
  for (int64_t row = 0; row < rows; ++row)
    for (const int64_t block : kept) {
      const auto begin = from.begin() + row * row_size + block * size;
      taken.insert(taken.end(), begin, begin + size);
    }
  return taken;
}

}  // namespace

std::vector<PrunedLayer> structured_prune(nn::ConvNet& net, double prune_ratio) {
  if (!(prune_ratio > 0 && prune_ratio < 1)) {
    fail(ErrorKind::config, "prune_ratio", "is not above 0 and below 1",
         "0.4 removes two fifths of the channels");
  }
  std::vector<PrunedLayer> pruned;
  for (const nn::ConvLayer& layer : net.layers)
    pruned.push_back(choose(layer, pruned.size(), prune_ratio));
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    nn::ConvLayer& layer = net.layers[i];
    const std::vector<int64_t>& kept = pruned[i].kept;
    layer.weight = take_blocks(layer.weight, 1, layer.in * layer.kernel * layer.kernel, kept);
    layer.bias = take_blocks(layer.bias, 1, 1, kept);
    layer.out = static_cast<int64_t>(kept.size());
    if (i + 1 < net.layers.size()) {
      nn::ConvLayer& next = net.layers[i + 1];
      next.weight = take_blocks(next.weight, next.out, next.kernel * next.kernel, kept);
      next.in = layer.out;
    } else {
      net.head_weight = take_blocks(net.head_weight, net.classes, net.places(), kept);
    }
  }
  return pruned;
}

void mask_channels(nn::ConvNet& net, const std::vector<PrunedLayer>& pruned) {
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    nn::ConvLayer& layer = net.layers[i];
    const int64_t filter = layer.in * layer.kernel * layer.kernel;
    for (int64_t j = 0; j < layer.out; ++j) {
      if (std::ranges::binary_search(pruned[i].kept, j)) continue;
      std::fill_n(layer.weight.begin() + j * filter, filter, 0.0f);
      layer.bias[static_cast<std::size_t>(j)] = 0;
    }
  }
}

}  // namespace cupel::compress

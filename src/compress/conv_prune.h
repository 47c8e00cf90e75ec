// Structured pruning of convolutions: whole channels go, by the size of their filters.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/conv_net.h"

namespace cupel::compress {

/// What happened to one layer.
struct PrunedLayer {
  std::vector<double> importance;  // of each channel: mean |w| of its filter (Li et al. 2017)
  double threshold = 0;            // the percentile of these; what is above it stays
  std::vector<int64_t> kept;       // ascending
};

/// Of every Conv2D of `net`, channels whose importance is at or below its prune_ratio percentile
/// (numpy's, between neighbours by a straight line) go: at least that share of them. Of equal ones
/// at the threshold the first go. Filter, bias, and what the next layer reads of a channel go with
/// it, so the network is the one with the channel at zero, and shapes are smaller. Nothing makes up
/// for what went: fit_conv_net() with the whole network as teacher does. Throws Error{config}
/// before anything changed if a layer would have no channel left, or the ratio is not in (0, 1);
/// Error{data} for weights that are not finite.
std::vector<PrunedLayer> structured_prune(nn::ConvNet& net, double prune_ratio);

/// The network with its shapes and zeros where structured_prune() cut.
void mask_channels(nn::ConvNet& net, const std::vector<PrunedLayer>& pruned);

}  // namespace cupel::compress

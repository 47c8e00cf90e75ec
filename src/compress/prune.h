// Structured pruning: which channels of a layer's inner width go, and how the weights that stay
// make up for them. Plain matrices; what they belong to stands elsewhere.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "base/view.h"

namespace cupel::compress {

/// How channels are ranked. obs: by the error that a channel's loss leaves after the others made up
/// for it, ranked anew after each few (Optimal Brain Surgeon, Hassibi and Stork 1993, for whole
/// channels as in ZipLM, Kurtić et al. 2023). activation: size of a channel's activations times
/// that of its weights (Wanda, Sun et al. 2023, summed over a column). magnitude: size of its
/// weights.
enum class Importance { obs, activation, magnitude };
constexpr std::array<std::string_view, 3> names(Importance) {
  return {"obs", "activation", "magnitude"};
}
static_assert(names(Importance{}).size() == static_cast<std::size_t>(Importance::magnitude) + 1);

/// y = down · x + bias, of which some of the n channels x are to go.
struct ChannelGroup {
  View<const float> down;      // [out, n]
  View<const double> moments;  // [n + 1, n + 1]: Σ x xᵀ over calibration rows, x followed by a 1
};

struct PrunedChannels {
  std::vector<int64_t> kept;       // ascending
  std::vector<float> down;         // [out, kept]
  std::vector<float> bias;         // [out], to be added to the bias
  std::vector<double> importance;  // n, as ranked before any went; the larger the better
  /// Σ‖y − y'‖² / Σ‖y − mean y‖² over the calibration rows: with the columns of kept channels left
  /// as they were, and after least squares.
  double error_before = 0, error = 0;
};

/// Keeps `keep` channels and refits their weights and the bias by least squares on the calibration
/// rows: down' (and bias') minimise Σ‖y − y'‖² + damping · mean(Σx²) · ‖down' − down‖². Results are
/// the same bits for any number of threads. Throws Error{data} for moments that are not finite.
PrunedChannels prune_channels(const ChannelGroup& group, int64_t keep, Importance importance,
                              double damping, ThreadPool& pool);

/// Channels that stay of n at `prune_ratio`, a multiple of `step` so that kernels read whole
/// blocks: at least that share goes. Throws Error{config} if none would stay or none would go.
int64_t channels_to_keep(int64_t n, double prune_ratio, int64_t step);

}  // namespace cupel::compress

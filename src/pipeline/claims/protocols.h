// The list of protocols: one row a way to measure a claim, each in a file of its name.
#pragma once

#include <array>

#include "pipeline/claims.h"

namespace cupel::pipeline::claims {

/// Trains a recipe; weighs held-out text against an n-gram model, and arithmetic before and after.
ClaimValues learning(const ClaimContext& context);

/// Trains networks on a table with and without adversarial rows; then once more with shuffled
/// labels.
ClaimValues augmentation(const ClaimContext& context);

/// Filters a corpus of which a known share is invalid with a recipe's own thresholds.
ClaimValues curation(const ClaimContext& context);

/// Trains one model in fp32 and in mixed precision: the time each takes to a validation loss that
/// the fp32 run sets, and the tensor memory of both and of memory mode.
ClaimValues mixed_precision(const ClaimContext& context);

/// Trains a classifier, compresses it, and measures every step on texts that neither has seen.
ClaimValues compression(const ClaimContext& context);

/// Trains a network of convolutions on images, prunes its channels, and lets it learn back what it
/// lost; all steps answer images that neither has seen.
ClaimValues convolution(const ClaimContext& context);

inline constexpr std::array kProtocols{
    Protocol{"augmentation", &augmentation}, Protocol{"compression", &compression},
    Protocol{"convolution", &convolution},   Protocol{"curation", &curation},
    Protocol{"learning", &learning},         Protocol{"mixed_precision", &mixed_precision},
};

}  // namespace cupel::pipeline::claims

// Accuracy and latency of classifiers, side by side.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/run.h"
#include "compress/compress.h"
#include "nn/classified_rows.h"
#include "nn/encoder_precision.h"

namespace cupel::compress {

/// A step of the chain: a classifier's folder and how it is computed.
struct MeasuredStep {
  std::string name;
  std::filesystem::path folder;
  nn::EncoderPrecision precision;
};

/// Accuracy on all rows. Latency of the first `runs`, each alone at its own length, from token ids,
/// with the run's threads; the steps take turns text by text, so that what the machine does
/// meanwhile meets all of them. Throws Interrupted when asked to stop.
std::vector<StepReport> measure_steps(const std::vector<MeasuredStep>& steps,
                                      const std::vector<nn::ClassifiedRow>& rows, int64_t runs,
                                      Run& run);

}  // namespace cupel::compress

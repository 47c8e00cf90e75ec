// Accuracy and latency of classifiers, side by side.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "base/stats.h"
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

struct StepResult {
  Latency latency_ms;
  double accuracy = 0;
  Interval accuracy_interval;
};
struct MeasuredSteps {
  std::vector<StepResult> steps;  // in the order given
  std::optional<Latency> eager;
};

/// Accuracy on all rows. Latency of the first `runs`, each alone at its own length, from token ids,
/// with the run's threads; the steps, and `eager` if it is not empty, take turns text by text, so
/// that what the machine does meanwhile meets all of them. Throws Interrupted when asked to stop.
MeasuredSteps measure_steps(const std::vector<MeasuredStep>& steps, const TextScores& eager,
                            const std::vector<nn::ClassifiedRow>& rows, int64_t runs, Run& run);

}  // namespace cupel::compress

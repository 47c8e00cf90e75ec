// A small run that commits as a training run does; faults are thrown at it.
#pragma once

#include <filesystem>
#include <string>

namespace cupel {

/// Steps 1 to `steps` of a walk whose state is one number: each logs a metric and, every second
/// step, commits checkpoint-N (state, position of the metrics) and drops the one before. Then it
/// writes an output and finishes. With `resume` it goes on from the newest checkpoint.
/// Returns whether it ended; false: the stop flag was seen, and a checkpoint was written.
bool sample_run(const std::filesystem::path& folder, bool resume, int steps = 6,
                const volatile bool* stop = nullptr);

/// Everything in the folder that must be the same however often the run was cut off.
std::string sample_run_bytes(const std::filesystem::path& folder);

}  // namespace cupel

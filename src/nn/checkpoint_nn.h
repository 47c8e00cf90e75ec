// Modules and optimizers ↔ checkpoint folders.
#pragma once

#include <filesystem>
#include <vector>

#include "base/json.h"
#include "base/run.h"
#include "nn/optimizer_nn.h"

namespace cupel::nn {

/// Writes `checkpoint-<step>` as a whole or not at all: model.safetensors (parameters that
/// require a gradient, and buffers; fp32), optimizer.safetensors (moments), state.json (the loop's
/// counters), manifest.json (hashes, last).
void save_checkpoint(Run& run, int64_t step, const torch::nn::Module& module,
                     const AdamW& optimizer, const json::Value& state);

/// Restores module and optimizer to the bit and returns the state. Throws Error{config} listing the
/// tensors that are missing, unexpected or of another shape: the recipe changed since the
/// checkpoint.
json::Value load_checkpoint(const std::filesystem::path& folder, torch::nn::Module& module,
                            AdamW& optimizer);

/// What a checkpoint holds of both, in the order in which it does.
std::vector<at::Tensor> checkpoint_tensors(const torch::nn::Module& module, const AdamW& optimizer);

}  // namespace cupel::nn

// First weights of a new model.
#pragma once

#include "base/run.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

/// Draws every parameter of two or more dimensions from N(0, deviation²), each from a stream of
/// randomness of its own; others (norms, biases) stay as they are. The parameters are fp32, on the
/// CPU.
void draw_matrices(const torch::nn::Module& module, double deviation, const Run& run);

}  // namespace cupel::nn

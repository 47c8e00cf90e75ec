// AdamW over the kernels: fp32 master weights, one pass for unscaling, clipping and the update.
#pragma once

#include <string>
#include <vector>

#include "nn/fit.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

/// A parameter with its optimizer state; fp32, contiguous, on the CPU.
struct OptimizedParameter {
  std::string name;
  at::Tensor value, first_moment, second_moment;
  bool decay;  // matrices decay; vectors (norms, biases) do not
};

/// Adam with decoupled weight decay and bias correction (Loshchilov and Hutter 2019, algorithm 2).
class AdamW {
 public:
  /// Takes every parameter of `module` that requires a gradient, in the module's order.
  AdamW(const torch::nn::Module& module, const FitConfig& config);

  /// Leaves every parameter without a gradient.
  void zero_grad();

  /// Sum of squares of all gradients, in double. Not finite exactly if some gradient is not:
  /// this is the scaler's overflow check too (no square of a finite float overflows a double).
  double gradient_sum_of_squares() const;

  /// One step with every gradient multiplied by `factor` first. A parameter without a gradient is
  /// left alone.
  void step(double learning_rate, float factor);

  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  std::vector<OptimizedParameter>& parameters() { return parameters_; }
  const std::vector<OptimizedParameter>& parameters() const { return parameters_; }

 private:
  std::vector<OptimizedParameter> parameters_;
  FitConfig config_;
  int64_t steps_ = 0;  // applied so far
};

}  // namespace cupel::nn

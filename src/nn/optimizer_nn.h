// AdamW over the kernels: fp32 master weights, one pass for unscaling, clipping and the update;
// moments of 8 bit and gradients of 16 where memory is short. On a GPU over LibTorch's fused AdamW.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.h"
#include "nn/fit.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

/// A parameter with its optimizer state; contiguous.
struct OptimizedParameter {
  std::string name;
  at::Tensor value;                        // fp32
  at::Tensor first_moment, second_moment;  // fp32, or bytes under adamw_8bit
  at::Tensor first_scale, second_scale;    // of the bytes: fp32 [ceil(size / kMomentBlock)]
  at::Tensor gradient;  // bf16, under grad_accum_dtype bf16: there, and not in value.grad()
  bool decay;           // matrices decay; vectors (norms, biases) do not
};

/// Adam with decoupled weight decay and bias correction (Loshchilov and Hutter 2019, algorithm 2).
class AdamW {
 public:
  /// Takes every parameter of `module` that requires a gradient, in the module's order.
  AdamW(const torch::nn::Module& module, const FitConfig& config);
  ~AdamW();
  AdamW(const AdamW&) = delete;  // the parameters' hooks know where it is
  AdamW& operator=(const AdamW&) = delete;

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
  bool on_gpu() const;
  void update(OptimizedParameter& parameter, int64_t begin, AdamWArgs args);

  std::vector<OptimizedParameter> parameters_;
  FitConfig config_;
  int64_t steps_ = 0;  // applied so far
};

/// Multiplies the gradients by `args.gradient_factor` and takes one step by LibTorch's fused AdamW,
/// on any device; fp32 moments. The number of steps so far, this one among them, is `steps`.
void step_by_libtorch(std::vector<OptimizedParameter>& parameters, const AdamWArgs& args,
                      double weight_decay, int64_t steps);

}  // namespace cupel::nn

// A multilayer perceptron with one logit, for tables: forward, backward, Adam; the same bits on
// every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/rng.h"

namespace cupel::augment {

/// Widths in memory are multiples of this; what pads them is zero and stays so.
inline constexpr int64_t kPad = 16;
constexpr int64_t padded(int64_t width) { return (width + kPad - 1) / kPad * kPad; }

/// 1 / (1 + e^-x) by a polynomial of our own, for libm's last bit differs between machines.
float sigmoid(float x);

/// inputs → hidden … → 1, ReLU between (15-64-64-1 in the claim). Matrices are [in, out], padded.
class Mlp {
 public:
  /// Weights and biases uniform within ±1/sqrt(fan-in), as torch.nn.Linear draws them.
  Mlp(int64_t inputs, std::vector<int64_t> hidden, Rng rng);

  /// Activations and gradients of one batch; one a thread.
  struct Pass {
    std::vector<std::vector<float>> activations;  // of each hidden layer, rows x width
    std::vector<float> logits;                    // rows
    std::vector<std::vector<float>> grads;        // of the activations
    std::vector<float> parameter_grads;           // as parameters()
    std::vector<float> ones;                      // rows
  };

  /// Fills pass.logits. x: rows x width().
  void forward(const float* x, int64_t rows, Pass& pass) const;
  /// grad_x (rows x width()) from the loss's gradient by logit, after forward() of the same rows.
  void backward_to_input(const float* grad_logits, int64_t rows, Pass& pass, float* grad_x) const;
  /// Fills pass.parameter_grads, or adds to them.
  void backward(const float* x, const float* grad_logits, int64_t rows, Pass& pass,
                bool accumulate = false) const;

  /// One step of AdamW (Loshchilov and Hutter 2019, algorithm 2): beta 0.9 and 0.999, epsilon 1e-8;
  /// biases decay as weights do.
  void adamw_step(std::span<const float> grads, float learning_rate, float weight_decay);

  int64_t inputs() const { return inputs_; }
  int64_t width() const { return padded(inputs_); }  // of a row of x
  const std::vector<int64_t>& hidden() const { return hidden_; }
  /// Layer after layer weights, then biases, padded.
  std::span<const float> parameters() const { return parameters_; }

  /// Weights [out, in] and biases [out] without padding, as files have them.
  struct Dense {
    int64_t in, out;
    std::vector<float> weight, bias;
  };
  std::vector<Dense> layers() const;

 private:
  struct Layer {
    int64_t in, out;                // without padding
    std::size_t weight, bias;       // where they begin in parameters_
    std::vector<float> transposed;  // [out, in], padded; of hidden layers
  };
  float* weight(const Layer& layer) { return parameters_.data() + layer.weight; }
  const float* weight(const Layer& layer) const { return parameters_.data() + layer.weight; }
  void transpose_weights();
  void grads_of_activations(const float* grad_logits, int64_t rows, Pass& pass) const;

  int64_t inputs_;
  std::vector<int64_t> hidden_;
  std::vector<Layer> layers_;  // the last has one output
  std::vector<float> parameters_, first_moment_, second_moment_;
  double decay1_ = 1, decay2_ = 1;  // beta^step
};

}  // namespace cupel::augment

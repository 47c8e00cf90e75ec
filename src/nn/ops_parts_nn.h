// What the operations of nn/ops_nn.h are made of: products with weights, the gated unit, saving.
#pragma once

#include <ATen/core/ivalue.h>

#include <utility>
#include <vector>

#include "nn/bridge_nn.h"
#include "nn/ops_nn.h"

namespace cupel::nn {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// A plain value kept from the forward to the backward pass.
template <class T>
struct Kept : torch::CustomClassHolder {
  explicit Kept(T v) : value(std::move(v)) {}
  T value;
};
template <class T>
void keep(AutogradContext* context, T value) {
  context->saved_data["kept"] =
      c10::IValue::make_capsule(c10::make_intrusive<Kept<T>>(std::move(value)));
}
template <class T>
const T& kept(AutogradContext* context) {
  const auto capsule = context->saved_data.at("kept").toCapsule();
  return static_cast<const Kept<T>*>(capsule.get())->value;
}

/// Rows that one call of a row-wise kernel works on: its operands stay in L1.
constexpr int64_t kRowGrain = 16;

/// An uninitialised matrix.
inline at::Tensor empty(int64_t rows, int64_t cols, at::ScalarType type) {
  return at::empty({rows, cols}, at::TensorOptions().dtype(type));
}

/// The fast path holds for x.
inline bool runs_on_kernels(const at::Tensor& x, const Weight& weight) {
  return has_kernels(x) && weight.operand.scalar_type() == x.scalar_type();
}

/// The gradient of a weight [out, in]: gradᵀ · x, rounded to their type, in fp32.
void weight_gradient(const Matrix& grad, const Matrix& x, const Matrix& result);
at::Tensor weight_gradient(const at::Tensor& grad, const at::Tensor& x);

/// `sum` = x + delta (fp32; x itself if delta has no data) and `normed` and inv_rms [rows] of it.
void norm_forward(const Matrix& x, const Matrix& delta, const float* weight, float epsilon,
                  const Matrix& sum, const Matrix& normed, float* inv_rms);
/// The norm's gradients; grad_sum [rows, cols] (null: none) is what reaches x around the norm.
void norm_backward(const Matrix& x, const float* weight, const float* inv_rms, const Matrix& grad,
                   const float* grad_sum, const Matrix& grad_x, at::Tensor& grad_weight);

/// One gated unit: gate and up [inner, width], down [width, inner].
struct GatedUnit {
  Matrix gate, up, down;
};
GatedUnit unit_of(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down);

/// `both` [rows, 2 * inner] = x·gateᵀ beside x·upᵀ.
void gate_and_up(const Matrix& x, const GatedUnit& unit, const Matrix& both);
/// gated[r, :] = silu(both[r, :inner]) * both[r, inner:] * factor[r]; null factor: 1.
void apply_gate(const Matrix& both, const float* factor, const Matrix& gated);

/// What the backward pass of a gated unit fills; matrices without data are left out.
struct GatedGradients {
  Matrix gate, up, down;  // fp32, shaped as the weights
  Matrix x;               // fp32 [rows, width], overwritten or added to
  bool add_to_x = false;
  float* factor = nullptr;  // [rows]
};
/// From grad [rows, width] of gated·downᵀ.
void gated_backward(const Matrix& x, const Matrix& both, const float* factor, const Matrix& grad,
                    const GatedUnit& unit, const GatedGradients& result);

}  // namespace cupel::nn

#include "base/error.h"
#include "nn/formulas_nn.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

struct Linears : torch::autograd::Function<Linears> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x,
                               at::TensorList masters, at::TensorList operands) {
    variable_list results;
    for (const at::Tensor& weight : operands) {
      results.push_back(empty(x.size(0), weight.size(0), x.scalar_type()));
      multiply(matrix_of(x), matrix_of(weight).transposed(), matrix_of(results.back()));
    }
    variable_list saved{x};
    saved.insert(saved.end(), operands.begin(), operands.end());
    context->save_for_backward(std::move(saved));
    CUPEL_ASSERT(masters.size() == operands.size());
    return results;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const std::size_t count = saved.size() - 1;
    variable_list results(1 + 2 * count);
    // Several products are summed in fp32 and rounded once.
    at::Tensor sum;
    for (std::size_t i = 0; i < count; ++i) {
      const at::Tensor grad = grads[i].contiguous();
      if (context->needs_input_grad(0)) {
        const bool first = !sum.defined();
        if (first) sum = empty(x.size(0), x.size(1), count > 1 ? at::kFloat : x.scalar_type());
        multiply(matrix_of(grad), matrix_of(saved[1 + i]), matrix_of(sum), !first);
      }
      if (context->needs_input_grad(1 + i)) results[1 + i] = weight_gradient(grad, x);
    }
    if (sum.defined()) results[0] = sum.to(x.scalar_type());
    return results;
  }
};

struct GatedMlp : torch::autograd::Function<GatedMlp> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gate,
                            const at::Tensor& up, const at::Tensor& down, at::TensorList operands) {
    const GatedUnit unit = unit_of(operands[0], operands[1], operands[2]);
    const at::Tensor both = empty(x.size(0), 2 * gate.size(0), x.scalar_type());
    gate_and_up(matrix_of(x), unit, matrix_of(both));
    const at::Tensor gated = empty(x.size(0), up.size(0), x.scalar_type());
    apply_gate(matrix_of(both), nullptr, matrix_of(gated));
    const at::Tensor result = empty(x.size(0), down.size(0), x.scalar_type());
    multiply(matrix_of(gated), unit.down.transposed(), matrix_of(result));
    context->save_for_backward({x, both, operands[0], operands[1], operands[2]});
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], grad = grads[0].contiguous();
    const GatedUnit unit = unit_of(saved[2], saved[3], saved[4]);
    variable_list results(7);
    at::Tensor grad_x;
    GatedGradients wanted;
    const auto ask = [&](std::size_t i, at::Tensor& result, int64_t rows, int64_t cols) {
      if (!context->needs_input_grad(i)) return Matrix{};
      result = empty(rows, cols, at::kFloat);
      return matrix_of(result);
    };
    wanted.x = ask(0, grad_x, x.size(0), x.size(1));
    wanted.gate = ask(1, results[1], unit.gate.rows, unit.gate.cols);
    wanted.up = ask(2, results[2], unit.up.rows, unit.up.cols);
    wanted.down = ask(3, results[3], unit.down.rows, unit.down.cols);
    gated_backward(matrix_of(x), matrix_of(saved[1]), nullptr, matrix_of(grad), unit, wanted);
    if (grad_x.defined()) results[0] = grad_x.to(x.scalar_type());
    return results;
  }
};

at::ScalarType type_of(Element type) {
  return type == Element::f32 ? at::kFloat : type == Element::f16 ? at::kHalf : at::kBFloat16;
}

}  // namespace

Weight WeightCopy::get(const at::Tensor& master, at::ScalarType storage) {
  if (storage != at::kHalf && storage != at::kBFloat16) return {master, master};
  if (master.scalar_type() == storage) return {master, master};
  if (!copy_.defined() || copy_.scalar_type() != storage || source_ != master.const_data_ptr() ||
      version_ != master._version()) {
    copy_ = master.detach().to(storage);
    source_ = master.const_data_ptr();
    version_ = master._version();
  }
  return {master, copy_};
}

std::vector<at::Tensor> linears(const at::Tensor& x, const std::vector<Weight>& weights) {
  std::vector<at::Tensor> masters, operands;
  bool fast = true;
  for (const Weight& weight : weights) {
    fast = fast && runs_on_kernels(x, weight);
    masters.push_back(weight.master);
    operands.push_back(weight.operand);
  }
  if (fast)
    return Linears::apply(x.contiguous(), at::TensorList(masters), at::TensorList(operands));
  std::vector<at::Tensor> results;
  for (const Weight& weight : weights) results.push_back(formulas::linear(x, weight));
  return results;
}

at::Tensor linear(const at::Tensor& x, const Weight& weight) { return linears(x, {weight})[0]; }

at::Tensor gated_mlp(const at::Tensor& x, const GatedWeights& weights) {
  if (!runs_on_kernels(x, weights.gate)) return formulas::gated_mlp(x, weights);
  const std::vector<at::Tensor> operands{weights.gate.operand, weights.up.operand,
                                         weights.down.operand};
  return GatedMlp::apply(x.contiguous(), weights.gate.master, weights.up.master,
                         weights.down.master, at::TensorList(operands));
}

void weight_gradient(const Matrix& grad, const Matrix& x, const Matrix& result) {
  if (x.type == Element::f32) return multiply(grad.transposed(), x, result);
  const at::Tensor rounded = empty(grad.cols, x.cols, type_of(x.type));
  multiply(grad.transposed(), x, matrix_of(rounded));
  const Matrix from = matrix_of(rounded);
  for_rows(from.rows, kRowGrain, [&](int64_t begin, int64_t end) {
    const Matrix to = result.row_range(begin, end - begin);
    kernels().from_16bit(from.row_range(begin, 1).data, from.type, static_cast<float*>(to.data),
                         (end - begin) * from.cols);
  });
}

at::Tensor weight_gradient(const at::Tensor& grad, const at::Tensor& x) {
  at::Tensor result = empty(grad.size(1), x.size(1), at::kFloat);
  weight_gradient(matrix_of(grad), matrix_of(x), matrix_of(result));
  return result;
}

GatedUnit unit_of(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& down) {
  return {matrix_of(gate), matrix_of(up), matrix_of(down)};
}

void gate_and_up(const Matrix& x, const GatedUnit& unit, const Matrix& both) {
  const int64_t inner = unit.gate.rows;
  multiply(x, unit.gate.transposed(), both.col_range(0, inner));
  multiply(x, unit.up.transposed(), both.col_range(inner, inner));
}

void apply_gate(const Matrix& both, const float* factor, const Matrix& gated) {
  for_rows(both.rows, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row += kRowGrain) {
      const int64_t rows = std::min(kRowGrain, end - row);
      Scratch scratch;
      int64_t stride = 0;
      const float* x = load_rows(both, row, rows, scratch, &stride);
      float* y = rows_to_write(gated, row, rows, scratch, &stride);
      kernels().swiglu(x, y, rows, gated.cols);
      if (factor != nullptr) {
        for (int64_t r = 0; r < rows; ++r) {
          for (int64_t c = 0; c < gated.cols; ++c) y[r * gated.cols + c] *= factor[row + r];
        }
      }
      store_rows(y, gated, row, rows);
    }
  });
}

namespace {

/// Rows of the gated unit's backward pass: y = silu · up again, grad_x of both halves, and the dot
/// product of grad and y, which is the gradient of the row's factor.
void gate_backward_rows(const float* x, const float* grad, const float* factor, float* y,
                        float* grad_x, float* grad_factor, int64_t rows, int64_t inner) {
  Scratch scratch;
  float* scaled = scratch.floats(rows * inner);
  kernels().swiglu(x, y, rows, inner);
  if (factor == nullptr) return kernels().swiglu_backward(x, grad, grad_x, rows, inner);
  for (int64_t r = 0; r < rows; ++r) {
    const float* grad_row = grad + r * inner;
    float* y_row = y + r * inner;
    float dots[4] = {};
    for (int64_t c = 0; c < inner; ++c) {
      dots[c % 4] += grad_row[c] * y_row[c];
      scaled[r * inner + c] = grad_row[c] * factor[r];
      y_row[c] *= factor[r];
    }
    grad_factor[r] = dots[0] + dots[1] + dots[2] + dots[3];
  }
  kernels().swiglu_backward(x, scaled, grad_x, rows, inner);
}

/// From the gradient of `gated`: that of `both`; `gated` is computed again.
void gate_backward(const Matrix& both, const float* factor, const Matrix& grad_gated,
                   const Matrix& gated, const Matrix& grad_both, float* grad_factor) {
  for_rows(both.rows, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row += kRowGrain) {
      const int64_t rows = std::min(kRowGrain, end - row);
      Scratch scratch;
      int64_t stride = 0;
      const float* x = load_rows(both, row, rows, scratch, &stride);
      const float* grad = load_rows(grad_gated, row, rows, scratch, &stride);
      float* y = rows_to_write(gated, row, rows, scratch, &stride);
      float* grad_x = rows_to_write(grad_both, row, rows, scratch, &stride);
      gate_backward_rows(x, grad, factor != nullptr ? factor + row : nullptr, y, grad_x,
                         grad_factor != nullptr ? grad_factor + row : nullptr, rows, gated.cols);
      store_rows(y, gated, row, rows);
      store_rows(grad_x, grad_both, row, rows);
    }
  });
}

}  // namespace

void gated_backward(const Matrix& x, const Matrix& both, const float* factor, const Matrix& grad,
                    const GatedUnit& unit, const GatedGradients& result) {
  const int64_t inner = unit.gate.rows;
  const at::ScalarType type = type_of(x.type);
  const at::Tensor grad_gated = empty(x.rows, inner, type);
  multiply(grad, unit.down, matrix_of(grad_gated));
  const at::Tensor gated = empty(x.rows, inner, type), grad_both = empty(x.rows, 2 * inner, type);
  gate_backward(both, factor, matrix_of(grad_gated), matrix_of(gated), matrix_of(grad_both),
                result.factor);
  const Matrix grad_gate = matrix_of(grad_both).col_range(0, inner);
  const Matrix grad_up = matrix_of(grad_both).col_range(inner, inner);
  if (result.down.data != nullptr) weight_gradient(grad, matrix_of(gated), result.down);
  if (result.gate.data != nullptr) weight_gradient(grad_gate, x, result.gate);
  if (result.up.data != nullptr) weight_gradient(grad_up, x, result.up);
  if (result.x.data == nullptr) return;
  multiply(grad_gate, unit.gate, result.x, result.add_to_x);
  multiply(grad_up, unit.up, result.x, true);
}

}  // namespace cupel::nn

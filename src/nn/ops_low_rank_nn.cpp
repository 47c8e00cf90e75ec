#include "nn/formulas_nn.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

struct KeptTerm {
  double scale, dropout;
  uint64_t key;
};

struct AddLowRank : torch::autograd::Function<AddLowRank> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& base, const at::Tensor& x,
                            const at::Tensor& a, const at::Tensor& b, const at::Tensor& a_operand,
                            const at::Tensor& b_operand, const KeptTerm& term) {
    const at::Tensor read = dropout(x, term.dropout, term.key);
    const at::Tensor inner = empty(x.size(0), a.size(0), x.scalar_type());
    multiply(matrix_of(read), matrix_of(a_operand).transposed(), matrix_of(inner));
    const at::Tensor sum = empty(x.size(0), b.size(0), at::kFloat);
    multiply(matrix_of(inner), matrix_of(b_operand).transposed(), matrix_of(sum));
    sum.mul_(term.scale).add_(base);
    context->save_for_backward({x, a_operand, b_operand, inner});
    keep(context, term);
    return sum.to(base.scalar_type());
  }

  /// Gradients of the matrices are not rounded to 16 bit: they are small.
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &a = saved[1], &b = saved[2], &inner = saved[3];
    const auto& term = kept<KeptTerm>(context);
    const at::Tensor grad = grads[0].contiguous();
    variable_list results(7);
    results[0] = grad;
    if (context->needs_input_grad(3)) {
      results[3] = empty(b.size(0), b.size(1), at::kFloat);
      multiply(matrix_of(grad).transposed(), matrix_of(inner), matrix_of(results[3]));
      results[3].mul_(term.scale);
    }
    const at::Tensor sum = empty(x.size(0), a.size(0), at::kFloat);
    multiply(matrix_of(grad), matrix_of(b), matrix_of(sum));
    const at::Tensor grad_inner = sum.mul_(term.scale).to(x.scalar_type());
    if (context->needs_input_grad(2)) {
      const at::Tensor read = dropout(x, term.dropout, term.key);
      results[2] = empty(a.size(0), a.size(1), at::kFloat);
      multiply(matrix_of(grad_inner).transposed(), matrix_of(read), matrix_of(results[2]));
    }
    if (context->needs_input_grad(1)) {
      const at::Tensor grad_read = empty(x.size(0), x.size(1), x.scalar_type());
      multiply(matrix_of(grad_inner), matrix_of(a), matrix_of(grad_read));
      results[1] = dropout(grad_read, term.dropout, term.key);
    }
    return results;
  }
};

}  // namespace

at::Tensor add_low_rank(const at::Tensor& base, const at::Tensor& x, const LowRank& term) {
  const bool fast = runs_on_kernels(x, term.a) && runs_on_kernels(x, term.b) &&
                    base.scalar_type() == x.scalar_type();
  if (!fast) return formulas::add_low_rank(base, x, term);
  return AddLowRank::apply(base.contiguous(), x.contiguous(), term.a.master, term.b.master,
                           term.a.operand, term.b.operand,
                           KeptTerm{term.scale, term.dropout, term.dropout_key});
}

}  // namespace cupel::nn

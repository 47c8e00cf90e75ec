#include <algorithm>

#include "base/error.h"
#include "nn/formulas_nn.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

/// fp16 loses the smallest gradients of the logits (they lie in [-1, 1]): they are stored times
/// 2^14.
constexpr float kHalfGradientScale = 16384;

struct LossChunk {
  int64_t begin, rows;
  at::Tensor logits;  // [rows, vocabulary] fp32; becomes softmax - onehot
};

/// Adds the chunk's losses to `loss` and leaves the gradient of its logits times `grad_scale`.
void chunk_loss(const at::Tensor& x, const at::Tensor& weight, const int64_t* labels,
                float grad_scale, const LossChunk& chunk, double& loss) {
  multiply(matrix_of(x).row_range(chunk.begin, chunk.rows), matrix_of(weight).transposed(),
           matrix_of(chunk.logits));
  const View<float> logits = view_of(chunk.logits);
  std::vector<float> losses(static_cast<std::size_t>(chunk.rows));
  for_rows(chunk.rows, 8, [&](int64_t begin, int64_t end) {
    kernels().cross_entropy(logits.row(begin), labels + chunk.begin + begin, grad_scale,
                            losses.data() + begin, end - begin, logits.cols);
  });
  for (const float value : losses) loss += static_cast<double>(value);
}

struct LinearCrossEntropy : torch::autograd::Function<LinearCrossEntropy> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& master,
                            const at::Tensor& operand, const at::Tensor& labels, bool grad_x_wanted,
                            bool grad_weight_wanted) {
    const int64_t rows = x.size(0), vocabulary = operand.size(0);
    const int64_t chunk_rows = cross_entropy_chunk_rows(rows, vocabulary);
    const bool half = x.scalar_type() == at::kHalf;
    const float grad_scale = half ? kHalfGradientScale : 1.0f;
    at::Tensor grad_x, grad_weight;
    if (grad_x_wanted) grad_x = empty(rows, x.size(1), at::kFloat);
    if (grad_weight_wanted) grad_weight = at::zeros(master.sizes(), at::kFloat);
    const at::Tensor buffer = empty(chunk_rows, vocabulary, at::kFloat);
    double loss = 0;
    for (int64_t begin = 0; begin < rows; begin += chunk_rows) {
      const int64_t here = std::min(chunk_rows, rows - begin);
      const LossChunk chunk{begin, here, buffer.narrow(0, 0, here)};
      chunk_loss(x, operand, labels.const_data_ptr<int64_t>(), grad_scale, chunk, loss);
      if (!grad_x_wanted && !grad_weight_wanted) continue;
      const at::Tensor grad = chunk.logits.to(x.scalar_type());
      if (grad_x_wanted)
        multiply(matrix_of(grad), matrix_of(operand), matrix_of(grad_x).row_range(begin, here));
      if (grad_weight_wanted)
        multiply(matrix_of(grad).transposed(), matrix_of(x).row_range(begin, here),
                 matrix_of(grad_weight), true);
    }
    context->save_for_backward({grad_x, grad_weight});
    keep(context, std::pair(x.scalar_type(), 1.0 / static_cast<double>(grad_scale)));
    return at::scalar_tensor(loss, at::kFloat);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const auto [type, unscale] = kept<std::pair<at::ScalarType, double>>(context);
    const double factor = grads[0].item<double>() * unscale;
    // One rounding to the operands' type, where an overflow becomes infinite.
    const auto scaled = [type = type, factor](const at::Tensor& grad) {
      return grad.defined() ? (grad * factor).to(type) : grad;
    };
    const at::Tensor grad_weight = scaled(saved[1]);
    return {scaled(saved[0]),
            grad_weight.defined() ? grad_weight.to(at::kFloat) : grad_weight,
            {},
            {},
            {},
            {}};
  }
};

}  // namespace

at::Tensor linear_cross_entropy(const at::Tensor& x, const Weight& weight,
                                const at::Tensor& labels) {
  if (!runs_on_kernels(x, weight)) return formulas::linear_cross_entropy(x, weight, labels);
  const bool gradients = at::GradMode::is_enabled();
  return LinearCrossEntropy::apply(x.contiguous(), weight.master, weight.operand,
                                   labels.contiguous(), gradients && x.requires_grad(),
                                   gradients && weight.master.requires_grad());
}

}  // namespace cupel::nn

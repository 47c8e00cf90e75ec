#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "nn/formulas_nn.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

void add_rows(const float* x, const float* y, float* sum, int64_t size) {
  for (int64_t i = 0; i < size; ++i) sum[i] = x[i] + y[i];
}

struct RmsNorm : torch::autograd::Function<RmsNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            double epsilon) {
    const at::Tensor inv_rms = at::empty({x.size(0)}, at::kFloat);
    at::Tensor result = empty(x.size(0), x.size(1), x.scalar_type());
    norm_forward(matrix_of(x), {}, weight.const_data_ptr<float>(), static_cast<float>(epsilon), {},
                 matrix_of(result), inv_rms.mutable_data_ptr<float>());
    context->save_for_backward({x, weight, inv_rms});
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    at::Tensor grad_x = at::empty_like(saved[0]), grad_weight;
    norm_backward(matrix_of(saved[0]), saved[1].const_data_ptr<float>(),
                  saved[2].const_data_ptr<float>(), matrix_of(grads[0].contiguous()), nullptr,
                  matrix_of(grad_x), grad_weight);
    return {grad_x, grad_weight, {}};
  }
};

struct AddRmsNorm : torch::autograd::Function<AddRmsNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x,
                               const at::Tensor& delta, const at::Tensor& weight, double epsilon,
                               at::ScalarType storage) {
    const at::Tensor inv_rms = at::empty({x.size(0)}, at::kFloat);
    const at::Tensor sum = empty(x.size(0), x.size(1), at::kFloat);
    const at::Tensor normed = empty(x.size(0), x.size(1), storage);
    norm_forward(matrix_of(x), matrix_of(delta), weight.const_data_ptr<float>(),
                 static_cast<float>(epsilon), matrix_of(sum), matrix_of(normed),
                 inv_rms.mutable_data_ptr<float>());
    context->save_for_backward({sum, weight, inv_rms});
    context->set_materialize_grads(false);
    keep(context, delta.scalar_type());
    return {sum, normed};
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const auto delta_type = kept<at::ScalarType>(context);
    const at::Tensor around = grads[0].defined() ? grads[0].contiguous() : grads[0];
    if (!grads[1].defined())
      return {around, around.defined() ? around.to(delta_type) : around, {}, {}, {}};
    at::Tensor grad_x = at::empty_like(saved[0]), grad_weight;
    norm_backward(matrix_of(saved[0]), saved[1].const_data_ptr<float>(),
                  saved[2].const_data_ptr<float>(), matrix_of(grads[1].contiguous()),
                  around.defined() ? around.const_data_ptr<float>() : nullptr, matrix_of(grad_x),
                  grad_weight);
    return {grad_x, grad_x.to(delta_type), grad_weight, {}, {}};
  }
};

struct Embedding : torch::autograd::Function<Embedding> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& ids,
                            const at::Tensor& weight) {
    context->save_for_backward({ids});
    keep(context, weight.size(0));
    return weight.index_select(0, ids);
  }

  /// Tokens are sorted by id, stably; each row of the result is summed by one thread.
  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const at::Tensor ids = context->get_saved_variables()[0].contiguous();
    const at::Tensor grad = grads[0].contiguous();
    const int64_t vocabulary = kept<int64_t>(context), cols = grad.size(1);
    const int64_t* id = ids.const_data_ptr<int64_t>();
    std::vector<int64_t> begin(static_cast<std::size_t>(vocabulary) + 1), order;
    for (int64_t t = 0; t < ids.numel(); ++t) ++begin[static_cast<std::size_t>(id[t]) + 1];
    for (std::size_t v = 1; v < begin.size(); ++v) begin[v] += begin[v - 1];
    order.resize(static_cast<std::size_t>(ids.numel()));
    std::vector<int64_t> next(begin.begin(), begin.end() - 1);
    for (int64_t t = 0; t < ids.numel(); ++t)
      order[static_cast<std::size_t>(next[static_cast<std::size_t>(id[t])]++)] = t;
    at::Tensor result = at::zeros({vocabulary, cols}, at::kFloat);
    const float* from = grad.const_data_ptr<float>();
    float* to = result.mutable_data_ptr<float>();
    for_rows(vocabulary, kRowGrain, [&](int64_t first, int64_t last) {
      for (int64_t v = first; v < last; ++v) {
        for (int64_t i = begin[static_cast<std::size_t>(v)];
             i < begin[static_cast<std::size_t>(v) + 1]; ++i)
          add_rows(to + v * cols, from + order[static_cast<std::size_t>(i)] * cols, to + v * cols,
                   cols);
      }
    });
    return {{}, result};
  }
};

/// splitmix64's finaliser (Steele et al. 2014): 64 random bits for element `index` of stream `key`.
uint64_t random_bits(uint64_t key, uint64_t index) {
  uint64_t z = key + (index + 1) * 0x9e3779b97f4a7c15ULL;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

/// `sum` = x + delta where delta has data; `normed` and inv_rms from it.
void norm_forward(const Matrix& x, const Matrix& delta, const float* weight, float epsilon,
                  const Matrix& sum, const Matrix& normed, float* inv_rms) {
  for_rows(x.rows, kRowGrain, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row += kRowGrain) {
      const int64_t rows = std::min(kRowGrain, end - row);
      Scratch scratch;
      int64_t x_stride = 0, stride = 0;
      const float* values = load_rows(x, row, rows, scratch, &x_stride);
      if (delta.data != nullptr) {
        const float* branch = load_rows(delta, row, rows, scratch, &stride);
        float* total = rows_to_write(sum, row, rows, scratch, &stride);
        add_rows(values, branch, total, rows * x.cols);
        values = total;
        x_stride = stride;
      }
      float* y = rows_to_write(normed, row, rows, scratch, &stride);
      kernels().rms_norm(values, x_stride, weight, epsilon, y, inv_rms + row, rows, x.cols);
      store_rows(y, normed, row, rows);
    }
  });
}

void norm_backward(const Matrix& x, const float* weight, const float* inv_rms, const Matrix& grad,
                   const float* grad_sum, const Matrix& grad_x, at::Tensor& grad_weight) {
  const int64_t cols = x.cols;
  const at::Tensor partial = at::zeros({row_pieces(x.rows), cols}, at::kFloat);
  for_row_pieces(x.rows, [&](int64_t piece, int64_t begin, int64_t end) {
    float* weight_sums = partial.mutable_data_ptr<float>() + piece * cols;
    for (int64_t row = begin; row < end; row += kRowGrain) {
      const int64_t count = std::min(kRowGrain, end - row);
      Scratch scratch;
      int64_t x_stride = 0, grad_stride = 0, stride = 0;
      const float* values = load_rows(x, row, count, scratch, &x_stride);
      const float* grads = load_rows(grad, row, count, scratch, &grad_stride);
      float* out = rows_to_write(grad_x, row, count, scratch, &stride);
      // The kernel writes with x's stride.
      float* target = x_stride == stride ? out : scratch.floats(count * x_stride);
      kernels().rms_norm_backward(values, x_stride, weight, inv_rms + row, grads, target,
                                  weight_sums, count, cols);
      for (int64_t r = 0; r < count && target != out; ++r)
        std::copy_n(target + r * x_stride, cols, out + r * stride);
      if (grad_sum != nullptr) add_rows(out, grad_sum + row * cols, out, count * cols);
      store_rows(out, grad_x, row, count);
    }
  });
  grad_weight = partial.sum(0);
}

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double epsilon) {
  if (!has_kernels(x) || weight.scalar_type() != at::kFloat)
    return formulas::rms_norm(x, weight, epsilon);
  return RmsNorm::apply(x, weight.contiguous(), epsilon);
}

Normed add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                    double epsilon, at::ScalarType storage) {
  const bool fast = has_kernels(x) && x.scalar_type() == at::kFloat;
  if (!fast || !delta.defined()) {
    const at::Tensor sum = delta.defined() ? x + delta : x;
    return {sum, rms_norm(sum, weight, epsilon).to(storage)};
  }
  const variable_list result =
      AddRmsNorm::apply(x.contiguous(), delta.contiguous(), weight, epsilon, storage);
  return {result[0], result[1]};
}

at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight) {
  if (!has_kernels(weight)) return at::embedding(weight, ids);
  return Embedding::apply(ids, weight);
}

at::Tensor dropout(const at::Tensor& x, double p, uint64_t key) {
  if (p == 0) return x;
  const at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* factor = mask.mutable_data_ptr<float>();
  const auto threshold = static_cast<uint64_t>(std::ldexp(p, 53));
  const auto kept_factor = static_cast<float>(1 / (1 - p));
  for_rows(x.numel(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const bool zeroed = random_bits(key, static_cast<uint64_t>(i)) >> 11 < threshold;
      factor[i] = zeroed ? 0.0f : kept_factor;
    }
  });
  return x * mask.to(x.options());
}

}  // namespace cupel::nn

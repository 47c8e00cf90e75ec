// Loops that sum over a row: norms and the loss.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

void rms_norm(const float* x, int64_t x_stride, const float* weight, float epsilon, float* y,
              float* inv_rms, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += cols) {
    Vec squares = zero();
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec v = load_some(x + i, count);
      squares = fma(v, v, squares);
    });
    inv_rms[r] = 1.0f / __builtin_sqrtf(sum(squares) / static_cast<float>(cols) + epsilon);
    const Vec factor = splat(inv_rms[r]);
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      store_some(y + i, load_some(x + i, count) * factor * load_some(weight + i, count), count);
    });
  }
}

void rms_norm_backward(const float* x, int64_t x_stride, const float* weight, const float* inv_rms,
                       const float* grad_y, float* grad_x, float* grad_weight, int64_t rows,
                       int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, grad_x += x_stride, grad_y += cols) {
    Vec dots = zero();
    const Vec factor = splat(inv_rms[r]);
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec normal = load_some(x + i, count) * factor, grad = load_some(grad_y + i, count);
      dots = fma(normal, grad * load_some(weight + i, count), dots);
      store_some(grad_weight + i, fma(grad, normal, load_some(grad_weight + i, count)), count);
    });
    const Vec mean = splat(sum(dots) / static_cast<float>(cols));
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec normal = load_some(x + i, count) * factor;
      const Vec grad = load_some(grad_y + i, count) * load_some(weight + i, count);
      store_some(grad_x + i, factor * (grad - normal * mean), count);
    });
  }
}

void layer_norm(const float* x, const float* add, const float* weight, const float* bias,
                float epsilon, float* y, int64_t rows, int64_t cols) {
  const float count_all = static_cast<float>(cols);
  for (int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
    Vec sums = zero();
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec v = load_some(x + i, count) + load_some(add + i, count);
      sums = sums + v;
      store_some(y + i, v, count);
    });
    const float mean = sum(sums) / count_all;
    Vec squares = zero();
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec v = load_some(y + i, count, mean) - splat(mean);
      squares = fma(v, v, squares);
    });
    const Vec factor = splat(1.0f / __builtin_sqrtf(sum(squares) / count_all + epsilon));
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec normal = (load_some(y + i, count) - splat(mean)) * factor;
      store_some(y + i, fma(normal, load_some(weight + i, count), load_some(bias + i, count)),
                 count);
    });
  }
}

template <Element type>
void softmax_as(float* x, int64_t x_stride, float scale, void* y, int64_t y_stride, int64_t rows,
                int64_t cols) {
  const float lowest = -__builtin_inff();
  for (int64_t r = 0; r < rows; ++r, x += x_stride) {
    Vec highest = splat(lowest);
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      highest = max(highest, load_some(x + i, count, lowest));
    });
    const Vec factor = splat(scale), shift = splat(-largest(highest) * scale);
    Vec sums = zero();
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec e = exp(fma(load_some(x + i, count, lowest), factor, shift));
      sums = sums + e;
      store_some(x + i, e, count);
    });
    const Vec share = splat(1.0f / sum(sums));
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      store_as<type>(y, r * y_stride + i, load_some(x + i, count) * share, count);
    });
  }
}
void softmax(float* x, int64_t x_stride, float scale, void* y, Element y_type, int64_t y_stride,
             int64_t rows, int64_t cols) {
  const auto as = y_type == Element::f32   ? softmax_as<Element::f32>
                  : y_type == Element::f16 ? softmax_as<Element::f16>
                                           : softmax_as<Element::bf16>;
  as(x, x_stride, scale, y, y_stride, rows, cols);
}

void cross_entropy(float* logits, const int64_t* labels, float grad_scale, float* loss,
                   int64_t rows, int64_t cols) {
  const float lowest = -__builtin_inff();
  for (int64_t r = 0; r < rows; ++r, logits += cols) {
    const int64_t label = labels[r];
    if (label < 0) {
      for_each_vec(cols, [&](int64_t i, int64_t count) { store_some(logits + i, zero(), count); });
      loss[r] = 0.0f;
      continue;
    }
    Vec highest = splat(lowest);
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      highest = max(highest, load_some(logits + i, count, lowest));
    });
    const float top = largest(highest), shifted = logits[label] - top;
    Vec sums = zero();
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec e = exp(load_some(logits + i, count, lowest) - splat(top));
      sums = sums + e;
      store_some(logits + i, e, count);
    });
    const float total = sum(sums);
    const Vec factor = splat(grad_scale / total);
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      store_some(logits + i, load_some(logits + i, count) * factor, count);
    });
    logits[label] -= grad_scale;
    loss[r] = __builtin_logf(total) - shifted;
  }
}

}  // namespace
}  // namespace cupel

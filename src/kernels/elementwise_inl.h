// Loops over plain arrays: conversions, optimizer, activations, rotation.
#pragma once

#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/vec_inl.h"

namespace cupel {
namespace {

template <Element type>
void to_16bit_as(const float* x, uint16_t* y, int64_t size) {
  const auto store_16bit = type == Element::f16 ? store_f16 : store_bf16;
  for_each_vec(size, [&](int64_t i, int64_t count) {
    if (count == kLanes) return store_16bit(y + i, load(x + i));
    uint16_t last[kLanes];
    store_16bit(last, load_some(x + i, count));
    for (int64_t lane = 0; lane < count; ++lane) y[i + lane] = last[lane];
  });
}
void to_16bit(const float* x, void* y, Element type, int64_t size) {
  const auto convert =
      type == Element::f16 ? to_16bit_as<Element::f16> : to_16bit_as<Element::bf16>;
  convert(x, static_cast<uint16_t*>(y), size);
}

template <Element type>
void from_16bit_as(const void* x, float* y, int64_t size) {
  for_each_vec(size, [&](int64_t i, int64_t count) {
    if (count == kLanes) return store(y + i, load_as<type>(x, i));
    for (int64_t lane = 0; lane < count; ++lane) y[i + lane] = element_as<type>(x, i + lane);
  });
}
void from_16bit(const void* x, Element type, float* y, int64_t size) {
  const auto convert =
      type == Element::f16 ? from_16bit_as<Element::f16> : from_16bit_as<Element::bf16>;
  convert(x, y, size);
}

/// The arithmetic of PyTorch's fused AdamW on CPU, operation by operation.
void adamw(const AdamWArgs& args) {
  const Vec factor = splat(args.gradient_factor);
  const Vec decay = splat(static_cast<float>(1 - args.learning_rate * args.weight_decay));
  const Vec beta2 = splat(static_cast<float>(args.beta2));
  const Vec rest2 = splat(static_cast<float>(1 - args.beta2));
  const Vec step = splat(static_cast<float>(-args.learning_rate / args.bias_correction1));
  const Vec correction = splat(static_cast<float>(__builtin_sqrt(args.bias_correction2)));
  const Vec epsilon = splat(static_cast<float>(args.epsilon));
  // Linear interpolation from the nearer end, as torch.lerp does.
  const float rest1 = static_cast<float>(1 - args.beta1);
  const bool from_moment = rest1 < 0.5f;
  const Vec weight = splat(from_moment ? rest1 : rest1 - 1.0f);
  for_each_vec(args.size, [&](int64_t i, int64_t count) {
    const Vec gradient = load_some(args.gradient + i, count) * factor;
    Vec moment = load_some(args.first_moment + i, count);
    moment = fma(weight, gradient - moment, from_moment ? moment : gradient);
    Vec square = load_some(args.second_moment + i, count);
    square = fma(rest2 * gradient, gradient, square * beta2);
    const Vec denominator = sqrt(square) / correction + epsilon;
    const Vec parameter =
        load_some(args.parameter + i, count) * decay + step * moment / denominator;
    store_some(args.first_moment + i, moment, count);
    store_some(args.second_moment + i, square, count);
    store_some(args.parameter + i, parameter, count);
  });
}

template <Element type, bool gelu>
void add_bias_as(const float* x, const float* bias, void* y, int64_t rows, int64_t cols) {
  const Vec half = splat(0.5f), inv_sqrt2 = splat(0.70710678f);
  for (int64_t r = 0; r < rows; ++r, x += cols) {
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      Vec v = load_some(x + i, count) + load_some(bias + i, count);
      if constexpr (gelu) {
        const Vec h = half * v;
        v = fma(h, erf(v * inv_sqrt2), h);
      }
      store_as<type>(y, r * cols + i, v, count);
    });
  }
}
void add_bias(const float* x, const float* bias, Activation activation, void* y, Element y_type,
              int64_t rows, int64_t cols) {
  const bool gelu = activation == Activation::gelu;
  const auto as = y_type == Element::f32
                      ? gelu ? add_bias_as<Element::f32, true> : add_bias_as<Element::f32, false>
                  : y_type == Element::f16
                      ? gelu ? add_bias_as<Element::f16, true> : add_bias_as<Element::f16, false>
                  : gelu ? add_bias_as<Element::bf16, true>
                         : add_bias_as<Element::bf16, false>;
  as(x, bias, y, rows, cols);
}

void swiglu(const float* x, float* y, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += 2 * cols, y += cols) {
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec gate = load_some(x + i, count), up = load_some(x + cols + i, count);
      store_some(y + i, gate * sigmoid(gate) * up, count);
    });
  }
}

void swiglu_backward(const float* x, const float* grad_y, float* grad_x, int64_t rows,
                     int64_t cols) {
  const Vec one = splat(1.0f);
  for (int64_t r = 0; r < rows; ++r, x += 2 * cols, grad_x += 2 * cols, grad_y += cols) {
    for_each_vec(cols, [&](int64_t i, int64_t count) {
      const Vec gate = load_some(x + i, count), up = load_some(x + cols + i, count);
      const Vec grad = load_some(grad_y + i, count), s = sigmoid(gate);
      store_some(grad_x + i, grad * up * s * fma(gate, one - s, one), count);
      store_some(grad_x + cols + i, grad * gate * s, count);
    });
  }
}

inline void rope_interleaved(const float* x, const float* cosine, const float* sine, float sign,
                             float* y, int64_t cols) {
  float signs[kLanes];
  for (int64_t i = 0; i < kLanes; ++i) signs[i] = i % 2 == 0 ? -sign : sign;
  const Vec signed_one = load(signs);
  int64_t i = 0;
  for (; i + kLanes <= cols; i += kLanes) {
    const Vec pair = load(x + i), c = load_doubled(cosine + i / 2), s = load_doubled(sine + i / 2);
    store(y + i, fma(swap_pairs(pair), s * signed_one, pair * c));
  }
  for (; i < cols; i += 2) {
    const float a = x[i], b = x[i + 1], c = cosine[i / 2], s = sign * sine[i / 2];
    y[i] = a * c - b * s;
    y[i + 1] = b * c + a * s;
  }
}

inline void rope_halves(const float* x, const float* cosine, const float* sine, float sign,
                        float* y, int64_t cols) {
  const int64_t half = cols / 2;
  for_each_vec(half, [&](int64_t i, int64_t count) {
    const Vec a = load_some(x + i, count), b = load_some(x + half + i, count);
    const Vec c = load_some(cosine + i, count), s = load_some(sine + i, count) * splat(sign);
    store_some(y + i, fma(zero() - b, s, a * c), count);
    store_some(y + half + i, fma(a, s, b * c), count);
  });
}

void rope(const float* x, int64_t x_stride, const float* cosine, const float* sine, float sign,
          int32_t interleaved, float* y, int64_t y_stride, int64_t rows, int64_t cols) {
  const auto rotate = interleaved ? rope_interleaved : rope_halves;
  for (int64_t r = 0; r < rows;
       ++r, x += x_stride, y += y_stride, cosine += cols / 2, sine += cols / 2)
    rotate(x, cosine, sine, sign, y, cols);
}

}  // namespace
}  // namespace cupel

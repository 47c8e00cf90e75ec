#include "augment/mlp.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "kernels/kernels.h"

namespace cupel::augment {
namespace {

/// Padded sizes in and out of a layer.
std::size_t size_of(int64_t in, int64_t out) {
  return static_cast<std::size_t>(padded(in) * padded(out));
}

/// e^x within 2 ulp for x in [-87, 88]: x = n·ln 2 + r, Cephes' polynomial of r.
float exponential(float x) {
  x = std::clamp(x, -87.0f, 88.0f);
  const auto n = static_cast<int32_t>(x * 1.44269504f + (x < 0 ? -0.5f : 0.5f));
  const auto whole = static_cast<float>(n);
  const float r = x - whole * 0.693359375f + whole * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  for (const float c :
       {1.3981999507e-3f, 8.3334519073e-3f, 4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f})
    p = p * r + c;
  p = p * (r * r) + r + 1.0f;
  return p * std::bit_cast<float>(static_cast<uint32_t>(n + 127) << 23);
}

// The loops below run over blocks of kPad, so that a compiler makes vectors of them at -O2.

void relu(float* x, int64_t size) {
  for (float* end = x + size; x < end; x += kPad)
    for (int64_t j = 0; j < kPad; ++j) x[j] = x[j] > 0 ? x[j] : 0;
}

/// grad = 0 where the activation is.
void relu_backward(const float* activation, float* grad, int64_t size) {
  for (float* end = grad + size; grad < end; grad += kPad, activation += kPad)
    for (int64_t j = 0; j < kPad; ++j) grad[j] = activation[j] > 0 ? grad[j] : 0;
}

void copy_to_rows(const float* row, int64_t width, int64_t rows, float* out) {
  for (int64_t r = 0; r < rows; ++r, out += width) std::copy(row, row + width, out);
}

/// kPad partial sums, added in pairs: one order on every machine.
float dot(const float* x, const float* y, int64_t size) {
  float sums[kPad] = {};
  for (int64_t i = 0; i < size; i += kPad)
    for (int64_t j = 0; j < kPad; ++j) sums[j] += x[i + j] * y[i + j];
  for (int64_t half = kPad / 2; half > 0; half /= 2)
    for (int64_t j = 0; j < half; ++j) sums[j] += sums[j + half];
  return sums[0];
}

void product(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row_stride,
             int64_t a_col_stride, const float* b, float* c, bool accumulate) {
  kernels().ordered_product({.m = m,
                             .n = n,
                             .k = k,
                             .a = a,
                             .a_row_stride = a_row_stride,
                             .a_col_stride = a_col_stride,
                             .b = b,
                             .b_row_stride = n,
                             .c = c,
                             .c_row_stride = n,
                             .accumulate = accumulate});
}

void at_least(std::vector<float>& values, int64_t size) {
  if (values.size() < static_cast<std::size_t>(size)) values.resize(static_cast<std::size_t>(size));
}

}  // namespace

float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

Mlp::Mlp(int64_t inputs, std::vector<int64_t> hidden, Rng rng)
    : inputs_(inputs), hidden_(std::move(hidden)) {
  CUPEL_ASSERT(inputs > 0 && !hidden_.empty());
  std::size_t size = 0;
  int64_t in = inputs;
  for (std::size_t i = 0; i <= hidden_.size(); ++i) {
    const int64_t out = i < hidden_.size() ? hidden_[i] : 1;
    // The last layer is one column of weights, not padded to sixteen.
    const std::size_t weights =
        out == 1 && i == hidden_.size() ? static_cast<std::size_t>(padded(in)) : size_of(in, out);
    layers_.push_back({in, out, size, size + weights, {}});
    size += weights + static_cast<std::size_t>(padded(out));
    in = out;
  }
  parameters_.resize(size);
  first_moment_.resize(size);
  second_moment_.resize(size);
  for (const Layer& layer : layers_) {
    const int64_t stride = &layer == &layers_.back() ? 1 : padded(layer.out);
    const double bound = 1 / std::sqrt(static_cast<double>(layer.in));
    const auto draw = [&] { return static_cast<float>(bound * (2 * rng.uniform() - 1)); };
    for (int64_t i = 0; i < layer.in; ++i)
      for (int64_t o = 0; o < layer.out; ++o) weight(layer)[i * stride + o] = draw();
    for (int64_t o = 0; o < layer.out; ++o)
      parameters_[layer.bias + static_cast<std::size_t>(o)] = draw();
  }
  transpose_weights();
}

void Mlp::transpose_weights() {
  for (Layer& layer : layers_) {
    if (&layer == &layers_.back()) break;
    const int64_t in = padded(layer.in), out = padded(layer.out);
    layer.transposed.resize(size_of(layer.in, layer.out));
    const float* from = weight(layer);
    for (int64_t i = 0; i < in; ++i)
      for (int64_t o = 0; o < out; ++o)
        layer.transposed[static_cast<std::size_t>(o * in + i)] = from[i * out + o];
  }
}

void Mlp::forward(const float* x, int64_t rows, Pass& pass) const {
  pass.activations.resize(hidden_.size());
  at_least(pass.logits, rows);
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const Layer& layer = layers_[l];
    const int64_t in = padded(layer.in), out = padded(layer.out);
    at_least(pass.activations[l], rows * out);
    float* y = pass.activations[l].data();
    copy_to_rows(parameters_.data() + layer.bias, out, rows, y);
    product(rows, out, in, x, in, 1, weight(layer), y, true);
    relu(y, rows * out);
    x = y;
  }
  const Layer& last = layers_.back();
  const int64_t in = padded(last.in);
  for (int64_t r = 0; r < rows; ++r)
    pass.logits[static_cast<std::size_t>(r)] =
        dot(x + r * in, weight(last), in) + parameters_[last.bias];
}

void Mlp::grads_of_activations(const float* grad_logits, int64_t rows, Pass& pass) const {
  pass.grads.resize(hidden_.size());
  for (std::size_t l = hidden_.size(); l-- > 0;) {
    const int64_t width = padded(hidden_[l]);
    at_least(pass.grads[l], rows * width);
    float* grad = pass.grads[l].data();
    if (l + 1 == hidden_.size()) {
      product(rows, width, 1, grad_logits, 1, 1, weight(layers_.back()), grad, false);
    } else {
      const Layer& next = layers_[l + 1];
      const int64_t out = padded(next.out);
      product(rows, width, out, pass.grads[l + 1].data(), out, 1, next.transposed.data(), grad,
              false);
    }
    relu_backward(pass.activations[l].data(), grad, rows * width);
  }
}

void Mlp::backward_to_input(const float* grad_logits, int64_t rows, Pass& pass,
                            float* grad_x) const {
  grads_of_activations(grad_logits, rows, pass);
  const int64_t out = padded(layers_[0].out);
  product(rows, width(), out, pass.grads[0].data(), out, 1, layers_[0].transposed.data(), grad_x,
          false);
}

void Mlp::backward(const float* x, const float* grad_logits, int64_t rows, Pass& pass,
                   bool accumulate) const {
  grads_of_activations(grad_logits, rows, pass);
  if (pass.parameter_grads.size() != parameters_.size())
    pass.parameter_grads.assign(parameters_.size(), 0);
  if (static_cast<int64_t>(pass.ones.size()) < rows)
    pass.ones.assign(static_cast<std::size_t>(rows), 1);
  float* grads = pass.parameter_grads.data();
  for (std::size_t l = 0; l < hidden_.size(); ++l) {
    const Layer& layer = layers_[l];
    const int64_t in = padded(layer.in), out = padded(layer.out);
    const float* input = l == 0 ? x : pass.activations[l - 1].data();
    product(in, out, rows, input, 1, in, pass.grads[l].data(), grads + layer.weight, accumulate);
    product(1, out, rows, pass.ones.data(), 0, 1, pass.grads[l].data(), grads + layer.bias,
            accumulate);
  }
  const Layer& last = layers_.back();
  product(1, padded(last.in), rows, grad_logits, 0, 1, pass.activations.back().data(),
          grads + last.weight, accumulate);
  product(1, 1, rows, pass.ones.data(), 0, 1, grad_logits, grads + last.bias, accumulate);
}

void Mlp::adamw_step(std::span<const float> grads, float learning_rate, float weight_decay) {
  CUPEL_ASSERT(grads.size() == parameters_.size());
  decay1_ *= 0.9;
  decay2_ *= 0.999;
  const auto step = static_cast<float>(learning_rate / (1 - decay1_));
  const auto correction = static_cast<float>(1 / std::sqrt(1 - decay2_));
  const float kept = 1 - learning_rate * weight_decay;
  for (std::size_t i = 0; i < grads.size(); i += kPad) {
    for (std::size_t j = i; j < i + kPad; ++j) {
      first_moment_[j] += 0.1f * (grads[j] - first_moment_[j]);
      second_moment_[j] += 0.001f * (grads[j] * grads[j] - second_moment_[j]);
      parameters_[j] =
          kept * parameters_[j] -
          step * first_moment_[j] / (std::sqrt(second_moment_[j]) * correction + 1e-8f);
    }
  }
  transpose_weights();
}

std::vector<Mlp::Dense> Mlp::layers() const {
  std::vector<Dense> out;
  for (const Layer& layer : layers_) {
    Dense& dense = out.emplace_back();
    dense.in = layer.in;
    dense.out = layer.out;
    const int64_t stride = &layer == &layers_.back() ? 1 : padded(layer.out);
    for (int64_t o = 0; o < layer.out; ++o) {
      for (int64_t i = 0; i < layer.in; ++i) dense.weight.push_back(weight(layer)[i * stride + o]);
      dense.bias.push_back(parameters_[layer.bias + static_cast<std::size_t>(o)]);
    }
  }
  return out;
}

}  // namespace cupel::augment

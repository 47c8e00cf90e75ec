// The complete row in plain C++: written for reading, and the oracle of every other row's tests.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/rows.h"

namespace cupel {
namespace {

// ---- 16-bit floats ----

float float_from_bf16(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

uint16_t bf16_from_float(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  if (std::isnan(x)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);  // ties to even
}

float float_from_f16(uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const float sign = bits & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction ? std::copysign(NAN, sign) : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
}

uint16_t f16_from_float(float x) {
  const int sign = std::signbit(x) ? 0x8000 : 0;
  if (std::isnan(x)) return static_cast<uint16_t>(sign | 0x7e00);
  if (std::abs(x) >= 65520.0f) return static_cast<uint16_t>(sign | 0x7c00);  // rounds to infinity
  if (x == 0) return static_cast<uint16_t>(sign);
  int exponent;
  std::frexp(x, &exponent);  // |x| in [2^(exponent-1), 2^exponent)
  const int unit = std::max(exponent - 11, -24);
  const int fraction =
      static_cast<int>(std::nearbyint(std::ldexp(std::abs(x), -unit)));  // ties to even
  // A fraction of 2048 carries into the exponent by itself.
  return static_cast<uint16_t>(sign | (unit == -24 ? fraction : ((unit + 24) << 10) + fraction));
}

float element(const void* base, Element type, int64_t at) {
  if (type == Element::f32) return static_cast<const float*>(base)[at];
  const uint16_t bits = static_cast<const uint16_t*>(base)[at];
  return type == Element::f16 ? float_from_f16(bits) : float_from_bf16(bits);
}

void from_16bit(const void* x, Element type, float* y, int64_t size) {
  for (int64_t i = 0; i < size; ++i) y[i] = element(x, type, i);
}

void to_16bit(const float* x, void* y, Element type, int64_t size) {
  uint16_t* out = static_cast<uint16_t*>(y);
  for (int64_t i = 0; i < size; ++i)
    out[i] = type == Element::f16 ? f16_from_float(x[i]) : bf16_from_float(x[i]);
}

// ---- matrix product ----

void gemm(const GemmArgs& args, void*) {
  for (int64_t i = 0; i < args.m; ++i) {
    for (int64_t j = 0; j < args.n; ++j) {
      float sum = 0;
      for (int64_t p = 0; p < args.k; ++p) {
        sum += element(args.a, args.a_type, i * args.a_row_stride + p * args.a_col_stride) *
               element(args.b, args.b_type, p * args.b_row_stride + j * args.b_col_stride);
      }
      const int64_t at = i * args.c_row_stride + j;
      if (args.c_type == Element::f32) {
        float& c = static_cast<float*>(args.c)[at];
        c = args.accumulate ? c + sum : sum;
      } else {
        to_16bit(&sum, static_cast<uint16_t*>(args.c) + at, args.c_type, 1);
      }
    }
  }
}

void ordered_product(const OrderedProductArgs& args) {
  for (int64_t i = 0; i < args.m; ++i) {
    float* c = args.c + i * args.c_row_stride;
    if (!args.accumulate) std::fill(c, c + args.n, 0.0f);
    for (int64_t p = 0; p < args.k; ++p) {
      const float factor = args.a[i * args.a_row_stride + p * args.a_col_stride];
      const float* b = args.b + p * args.b_row_stride;
      for (int64_t j = 0; j < args.n; ++j) c[j] += factor * b[j];
    }
  }
}

// ---- optimizer ----

void adamw(const AdamWArgs& args) {
  const float decay = static_cast<float>(1 - args.learning_rate * args.weight_decay);
  const float rest1 = static_cast<float>(1 - args.beta1),
              rest2 = static_cast<float>(1 - args.beta2);
  const float step = static_cast<float>(-args.learning_rate / args.bias_correction1);
  const float correction = static_cast<float>(std::sqrt(args.bias_correction2));
  for (int64_t i = 0; i < args.size; ++i) {
    const float gradient = args.gradient[i] * args.gradient_factor;
    float &moment = args.first_moment[i], &square = args.second_moment[i];
    moment = rest1 < 0.5f ? moment + rest1 * (gradient - moment)
                          : gradient + (rest1 - 1.0f) * (gradient - moment);
    square = square * static_cast<float>(args.beta2) + rest2 * gradient * gradient;
    const float denominator = std::sqrt(square) / correction + static_cast<float>(args.epsilon);
    args.parameter[i] = args.parameter[i] * decay + step * moment / denominator;
  }
}

double sum_of_squares(const float* x, int64_t size) {
  double partial[8] = {};
  int64_t i = 0;
  for (; i + 8 <= size; i += 8)
    for (int lane = 0; lane < 8; ++lane)
      partial[lane] += static_cast<double>(x[i + lane]) * x[i + lane];
  for (int lane = 0; i < size; ++i, ++lane) partial[lane] += static_cast<double>(x[i]) * x[i];
  return ((partial[0] + partial[1]) + (partial[2] + partial[3])) +
         ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}

// ---- layers ----

void rms_norm(const float* x, int64_t x_stride, const float* weight, float epsilon, float* y,
              float* inv_rms, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += cols) {
    double squares = 0;
    for (int64_t i = 0; i < cols; ++i) squares += static_cast<double>(x[i]) * x[i];
    inv_rms[r] = static_cast<float>(1 / std::sqrt(squares / static_cast<double>(cols) + epsilon));
    for (int64_t i = 0; i < cols; ++i) y[i] = x[i] * inv_rms[r] * weight[i];
  }
}

void rms_norm_backward(const float* x, int64_t x_stride, const float* weight, const float* inv_rms,
                       const float* grad_y, float* grad_x, float* grad_weight, int64_t rows,
                       int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, grad_x += x_stride, grad_y += cols) {
    double dot = 0;
    for (int64_t i = 0; i < cols; ++i)
      dot += static_cast<double>(x[i] * inv_rms[r]) * (grad_y[i] * weight[i]);
    const float mean = static_cast<float>(dot / static_cast<double>(cols));
    for (int64_t i = 0; i < cols; ++i) {
      const float normal = x[i] * inv_rms[r];
      grad_weight[i] += grad_y[i] * normal;
      grad_x[i] = inv_rms[r] * (grad_y[i] * weight[i] - normal * mean);
    }
  }
}

void layer_norm(const float* x, const float* add, const float* weight, const float* bias,
                float epsilon, float* y, int64_t rows, int64_t cols) {
  const double count = static_cast<double>(cols);
  for (int64_t r = 0; r < rows; ++r, x += cols, y += cols) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < cols; ++i) sum += x[i] + add[i];
    for (int64_t i = 0; i < cols; ++i) {
      const double centred = x[i] + add[i] - sum / count;
      squares += centred * centred;
    }
    const double factor = 1 / std::sqrt(squares / count + epsilon);
    for (int64_t i = 0; i < cols; ++i) {
      const double normal = (x[i] + add[i] - sum / count) * factor;
      y[i] = static_cast<float>(normal * weight[i] + bias[i]);
    }
  }
}

void store_as(float value, void* y, Element type, int64_t at) {
  if (type == Element::f32) {
    static_cast<float*>(y)[at] = value;
  } else {
    to_16bit(&value, static_cast<uint16_t*>(y) + at, type, 1);
  }
}

float gelu(float x) { return 0.5f * x * (1 + std::erf(x * 0.70710678f)); }

void add_bias(const float* x, const float* bias, Activation activation, void* y, Element y_type,
              int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t i = 0; i < cols; ++i) {
      const float sum = x[r * cols + i] + bias[i];
      store_as(activation == Activation::gelu ? gelu(sum) : sum, y, y_type, r * cols + i);
    }
  }
}

void softmax(float* x, int64_t x_stride, float scale, void* y, Element y_type, int64_t y_stride,
             int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride) {
    const float top = *std::max_element(x, x + cols);
    float total = 0;
    for (int64_t i = 0; i < cols; ++i) total += x[i] = std::exp((x[i] - top) * scale);
    for (int64_t i = 0; i < cols; ++i) store_as(x[i] / total, y, y_type, r * y_stride + i);
  }
}

float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

void swiglu(const float* x, float* y, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += 2 * cols, y += cols)
    for (int64_t i = 0; i < cols; ++i) y[i] = x[i] * sigmoid(x[i]) * x[cols + i];
}

void swiglu_backward(const float* x, const float* grad_y, float* grad_x, int64_t rows,
                     int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, x += 2 * cols, grad_x += 2 * cols, grad_y += cols) {
    for (int64_t i = 0; i < cols; ++i) {
      const float gate = x[i], up = x[cols + i], s = sigmoid(gate);
      grad_x[i] = grad_y[i] * up * s * (1 + gate * (1 - s));
      grad_x[cols + i] = grad_y[i] * gate * s;
    }
  }
}

void rope(const float* x, int64_t x_stride, const float* cosine, const float* sine, float sign,
          int32_t interleaved, float* y, int64_t y_stride, int64_t rows, int64_t cols) {
  const int64_t half = cols / 2;
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride, cosine += half, sine += half) {
    for (int64_t i = 0; i < half; ++i) {
      const int64_t first = interleaved ? 2 * i : i, second = interleaved ? 2 * i + 1 : i + half;
      const float a = x[first], b = x[second], c = cosine[i], s = sign * sine[i];
      y[first] = a * c - b * s;
      y[second] = b * c + a * s;
    }
  }
}

void cross_entropy(float* logits, const int64_t* labels, float grad_scale, float* loss,
                   int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, logits += cols) {
    const int64_t label = labels[r];
    const float top = *std::max_element(logits, logits + cols);
    double total = 0;
    for (int64_t i = 0; i < cols; ++i) total += std::exp(static_cast<double>(logits[i] - top));
    loss[r] = label < 0 ? 0 : static_cast<float>(std::log(total)) - (logits[label] - top);
    for (int64_t i = 0; i < cols; ++i) {
      const float probability =
          static_cast<float>(std::exp(static_cast<double>(logits[i] - top)) / total);
      logits[i] = label < 0 ? 0 : (probability - (i == label ? 1.0f : 0.0f)) * grad_scale;
    }
  }
}

// ---- attention ----

float dot(const float* a, const float* b, int64_t size) {
  float sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

/// y += factor * x
void add(float* y, float factor, const float* x, int64_t size) {
  for (int64_t i = 0; i < size; ++i) y[i] += factor * x[i];
}

void attention(const AttentionArgs& args, void* workspace) {
  float* score = static_cast<float*>(workspace);
  for (int64_t i = 0; i < args.length; ++i) {
    const int64_t first = args.first ? args.first[i] : 0;
    float top = -INFINITY, total = 0;
    for (int64_t j = first; j <= i; ++j) {
      score[j] =
          dot(args.q + i * args.q_stride, args.k + j * args.k_stride, args.qk_dim) * args.scale;
      top = std::max(top, score[j]);
    }
    for (int64_t j = first; j <= i; ++j) total += score[j] = std::exp(score[j] - top);
    float* out = args.out + i * args.out_stride;
    std::fill_n(out, args.v_dim, 0.0f);
    for (int64_t j = first; j <= i; ++j)
      add(out, score[j] / total, args.v + j * args.v_stride, args.v_dim);
    args.log_sum_exp[i] = top + std::log(total);
  }
}

void attention_backward(const AttentionArgs& args, void*) {
  for (int64_t i = 0; i < args.length; ++i) {
    std::fill_n(args.grad_q + i * args.q_stride, args.qk_dim, 0.0f);
    std::fill_n(args.grad_k + i * args.k_stride, args.qk_dim, 0.0f);
    std::fill_n(args.grad_v + i * args.v_stride, args.v_dim, 0.0f);
  }
  for (int64_t i = 0; i < args.length; ++i) {
    const float *q = args.q + i * args.q_stride, *grad_out = args.grad_out + i * args.out_stride;
    const float mean = dot(grad_out, args.out + i * args.out_stride, args.v_dim);
    for (int64_t j = args.first ? args.first[i] : 0; j <= i; ++j) {
      const float *k = args.k + j * args.k_stride, *v = args.v + j * args.v_stride;
      const float probability = std::exp(dot(q, k, args.qk_dim) * args.scale - args.log_sum_exp[i]);
      const float grad_score = probability * (dot(grad_out, v, args.v_dim) - mean) * args.scale;
      add(args.grad_v + j * args.v_stride, probability, grad_out, args.v_dim);
      add(args.grad_q + i * args.q_stride, grad_score, k, args.qk_dim);
      add(args.grad_k + j * args.k_stride, grad_score, q, args.qk_dim);
    }
  }
}

// ---- topics ----

/// x[i] becomes the sum of the first i + 1 lanes, added in the order that every row keeps.
void sum_lanes(float* x) {
  for (const int distance : {1, 2}) {
    for (int i = kTopicLanes - 1; i >= 0; --i)
      if (i % 4 >= distance) x[i] += x[i - distance];
  }
  for (const int distance : {1, 2}) {  // quarters: the last of each is its sum
    for (int i = kTopicLanes - 1; i >= 4 * distance; --i) x[i] += x[(i / 4 - distance) * 4 + 3];
  }
}

/// The topic at `random` of the way through `chances`, which become sums.
int64_t draw_topic(float* chances, int64_t padded_topics, uint32_t random) {
  for (int64_t k = kTopicLanes; k < padded_topics; ++k) chances[k] += chances[k - kTopicLanes];
  const float* last = chances + padded_topics - kTopicLanes;
  float lanes[kTopicLanes];
  std::copy_n(last, kTopicLanes, lanes);
  sum_lanes(lanes);
  const float target = static_cast<float>(random >> 8) * 0x1p-24f * lanes[kTopicLanes - 1];
  int64_t lane = 0;
  while (lane < kTopicLanes - 1 && lanes[lane] <= target) ++lane;
  const float rest = lane == 0 ? target : target - lanes[lane - 1];
  int64_t topic = lane;
  while (topic < padded_topics && chances[topic] <= rest) topic += kTopicLanes;
  // Rounding may leave nothing of the lane: its last topic that has a chance.
  if (topic >= padded_topics)
    for (topic -= kTopicLanes; topic > lane && chances[topic] <= chances[topic - kTopicLanes];)
      topic -= kTopicLanes;
  return topic;
}

void topic_sweep(const TopicSweepArgs& args) {
  const int64_t size = args.padded_topics;
  float count[kMaxTopics], weight[kMaxTopics], chances[kMaxTopics];
  for (int64_t d = 0; d < args.documents; ++d) {
    std::fill_n(count, size, 0.0f);
    for (int64_t i = args.first[d]; i < args.first[d + 1]; ++i) ++count[args.topics[i]];
    for (int64_t k = 0; k < size; ++k) weight[k] = count[k] + args.alpha[k];
    for (int64_t i = args.first[d]; i < args.first[d + 1]; ++i) {
      const float* term = args.term_topic + args.terms[i] * size;
      const int64_t old = args.topics[i];
      const float others = (term[old] - args.own[old]) / term[old];
      count[old] -= 1;
      weight[old] = (count[old] + args.alpha[old]) * others;
      for (int64_t k = 0; k < size; ++k) chances[k] = weight[k] * term[k];
      const int64_t drawn = draw_topic(chances, size, args.random[i]);
      weight[old] = count[old] + args.alpha[old];
      count[drawn] += 1;
      weight[drawn] = count[drawn] + args.alpha[drawn];
      args.topics[i] = static_cast<uint16_t>(drawn);
    }
  }
}

// ---- sketches ----

void minhash(const uint64_t* hashes, int64_t size, const uint64_t* factors, const uint64_t* offsets,
             uint32_t* minima, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint64_t smallest = UINT64_MAX;
    for (int64_t j = 0; j < size; ++j)
      smallest = std::min(smallest, factors[i] * hashes[j] + offsets[i]);
    minima[i] = static_cast<uint32_t>(smallest >> 32);
  }
}

}  // namespace

const Kernels kScalarRow = {
    .name = "scalar",
    .gemm = gemm,
    .ordered_product = ordered_product,
    .gemm_int8 = scalar_gemm_int8,
    .quantize_rows = scalar_quantize_rows,
    .gemm_cb4 = scalar_gemm_cb4,
    .quantize_signed = scalar_quantize_signed,
    .to_16bit = to_16bit,
    .from_16bit = from_16bit,
    .adamw = adamw,
    .adamw8 = scalar_adamw8,
    .sum_of_squares = sum_of_squares,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .layer_norm = layer_norm,
    .add_bias = add_bias,
    .softmax = softmax,
    .swiglu = swiglu,
    .swiglu_backward = swiglu_backward,
    .rope = rope,
    .attention = attention,
    .attention_backward = attention_backward,
    .cross_entropy = cross_entropy,
    .topic_sweep = topic_sweep,
    .minhash = minhash,
};

}  // namespace cupel

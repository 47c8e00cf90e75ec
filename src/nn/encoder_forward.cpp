#include "nn/encoder_forward.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace cupel::nn {
namespace {

/// Rows of a widening product at a time: its sums then stay in the cache until they are rounded.
constexpr int64_t kStripRows = 256;
constexpr int64_t kInt8StripRows = 96;  // a multiple of 16, as gemm_int8 wants them

template <class T>
T* room(std::vector<T>& buffer, int64_t size) {
  if (buffer.size() < static_cast<std::size_t>(size)) buffer.resize(static_cast<std::size_t>(size));
  return buffer.data();
}

int64_t bytes_of(Element type) { return type == Element::f32 ? 4 : 2; }

int64_t length_of(const std::vector<int32_t>* text) { return static_cast<int64_t>(text->size()); }

}  // namespace

EncoderForward::EncoderForward(const EncoderConfig& config, const EncoderWeights& weights,
                               Element element)
    : config_(config),
      weights_(weights),
      element_(element),
      element_bytes_(bytes_of(element)),
      context_type_(weights.int8 ? Element::f32 : element),
      workspace_(static_cast<std::size_t>(gemm_workspace_bytes()) / sizeof(Line) + 1) {}

void EncoderForward::run(std::span<const std::vector<int32_t>* const> texts,
                         std::span<float* const> vectors) {
  CUPEL_ASSERT(texts.size() == vectors.size());
  tokens_ = 0;
  for (const auto* text : texts) tokens_ += length_of(text);
  embed(texts);
  for (const EncoderLayer& layer : weights_.layers) {
    attend(layer, texts);
    feed_forward(layer);
  }
  int64_t first = 0;
  for (std::size_t i = 0; i < texts.size(); first += length_of(texts[i]), ++i)
    pool(first, length_of(texts[i]), vectors[i]);
}

void EncoderForward::embed(std::span<const std::vector<int32_t>* const> texts) {
  const int64_t width = config_.hidden_size;
  float* x = room(x_, tokens_ * width);
  for (const auto* text : texts) {
    const float* position = weights_.positions.data();
    for (const int32_t id : *text) {
      CUPEL_ASSERT(id >= 0 && id < config_.vocab_size);
      const float* word = weights_.words.data() + id * width;
      for (int64_t i = 0; i < width; ++i) *x++ = word[i] + *position++;
    }
  }
  normalise(weights_.first_type, weights_.embedding);
}

/// x = layer norm(x + add), and its rounded copy.
void EncoderForward::normalise(const std::vector<float>& add, const EncoderNorm& norm) {
  const int64_t width = config_.hidden_size;
  kernels().layer_norm(x_.data(), add.data(), norm.weight.data(), norm.bias.data(),
                       static_cast<float>(config_.layer_norm_eps), x_.data(), tokens_, width);
  if (weights_.int8) return quantise(x_.data(), 0, tokens_, width, int8_stream_, tokens_);
  if (element_ == Element::f32) return;
  kernels().to_16bit(x_.data(), room(narrow_, tokens_ * width * 2), element_, tokens_ * width);
}

/// What the products read of the stream.
const std::byte* EncoderForward::stream(int64_t row) const {
  const int64_t at = row * config_.hidden_size * element_bytes_;
  return element_ == Element::f32 ? reinterpret_cast<const std::byte*>(x_.data()) + at
                                  : narrow_.data() + at;
}

/// y = x · weightᵀ of rows of the stream; without the bias.
void EncoderForward::project(int64_t row, int64_t rows, const EncoderLinear& linear, float* y) {
  weights_.int8 ? multiply_int8(int8_stream_, row, rows, linear, y, false)
                : multiply(stream(row), linear, rows, y, false);
}

/// Rows [row, row + rows) of y, which has all_rows.
void EncoderForward::quantise(const float* x, int64_t row, int64_t rows, int64_t cols, Quantised& y,
                              int64_t all_rows) const {
  constexpr int64_t kLine = sizeof(Line);
  const int64_t row_lines = int8_row_bytes(cols) / kLine;
  Line* lines = room(y.lines, (all_rows + 15) / 16 * 16 * row_lines) + row * row_lines;
  float* scales = room(y.scales, all_rows) + row;
  int32_t* zeros = room(y.zeros, all_rows) + row;
  kernels().quantize_rows(x, cols, reinterpret_cast<uint8_t*>(lines), row_lines * kLine, scales,
                          zeros, rows, cols);
}

/// y = x · weightᵀ of rows [row, row + rows) of x, or added to y; without the bias.
void EncoderForward::multiply_int8(const Quantised& x, int64_t row, int64_t rows,
                                   const EncoderLinear& linear, float* y, bool accumulate) const {
  const int64_t row_bytes = int8_row_bytes(linear.in);
  kernels().gemm_int8({rows, linear.out, linear.in,
                       reinterpret_cast<const uint8_t*>(x.lines.data()) + row * row_bytes,
                       row_bytes, x.scales.data() + row, x.zeros.data() + row, linear.int8.matrix(),
                       y, linear.out, accumulate});
}

/// y = x · weightᵀ, or added to y; without the bias.
void EncoderForward::multiply(const std::byte* x, const EncoderLinear& linear, int64_t rows,
                              float* y, bool accumulate) {
  const GemmArgs args = {rows,
                         linear.out,
                         linear.in,  //
                         x,
                         linear.in,
                         1,
                         element_,  //
                         linear.weight.data(),
                         1,
                         linear.in,
                         element_,  //
                         y,
                         linear.out,
                         Element::f32,
                         accumulate};
  kernels().gemm(args, workspace_.data());
}

/// x = layer norm(x + attention(x))
void EncoderForward::attend(const EncoderLayer& layer,
                            std::span<const std::vector<int32_t>* const> texts) {
  const int64_t width = config_.hidden_size, out = 3 * width;
  std::byte* all = room(rounded_, tokens_ * out * element_bytes_);
  const int64_t strip = weights_.int8 ? kInt8StripRows : kStripRows;
  for (int64_t row = 0; row < tokens_; row += strip) {
    const int64_t rows = std::min(strip, tokens_ - row);
    float* sums = room(wide_, rows * out);
    project(row, rows, layer.query_key_value, sums);
    kernels().add_bias(sums, layer.query_key_value.bias.data(), Activation::none,
                       all + row * out * element_bytes_, element_, rows, out);
  }
  room(context_, tokens_ * width * bytes_of(context_type_));
  int64_t first = 0;
  for (const auto* text : texts) {
    for (int64_t head = 0; head < config_.num_attention_heads; ++head)
      attend_head(first, length_of(text), head);
    first += length_of(text);
  }
  if (weights_.int8) {
    quantise(reinterpret_cast<const float*>(context_.data()), 0, tokens_, width, int8_context_,
             tokens_);
    multiply_int8(int8_context_, 0, tokens_, layer.attention_out, x_.data(), true);
  } else {
    multiply(context_.data(), layer.attention_out, tokens_, x_.data(), true);
  }
  normalise(layer.attention_out.bias, layer.after_attention);
}

/// softmax(q · kᵀ / sqrt(head width)) · v of one text and head: every token sees every other.
void EncoderForward::attend_head(int64_t first, int64_t length, int64_t head) {
  const int64_t width = config_.hidden_size, row = 3 * width;
  const int64_t dim = width / config_.num_attention_heads;
  const std::byte* q = rounded_.data() + (first * row + head * dim) * element_bytes_;
  const std::byte *k = q + width * element_bytes_, *v = k + width * element_bytes_;
  float* scores = room(scores_, length * length);
  std::byte* shares = room(shares_, length * length * element_bytes_);
  std::byte* out = context_.data() + (first * width + head * dim) * bytes_of(context_type_);
  const GemmArgs score = {length,   length, dim,  //
                          q,        row,    1,
                          element_,  //
                          k,        1,      row,
                          element_,  //
                          scores,   length, Element::f32,
                          false};
  kernels().gemm(score, workspace_.data());
  kernels().softmax(scores, length, 1 / std::sqrt(static_cast<float>(dim)), shares, element_,
                    length, length, length);
  const GemmArgs gather = {length,   dim,    length,  //
                           shares,   length, 1,
                           element_,  //
                           v,        row,    1,
                           element_,  //
                           out,      width,  context_type_,
                           false};
  kernels().gemm(gather, workspace_.data());
}

/// x = layer norm(x + down(gelu(up(x))))
void EncoderForward::feed_forward(const EncoderLayer& layer) {
  const int64_t width = config_.hidden_size, inner = config_.intermediate_size;
  if (weights_.int8) {
    feed_forward_int8(layer);
    return normalise(layer.down.bias, layer.after_feed_forward);
  }
  for (int64_t row = 0; row < tokens_; row += kStripRows) {
    const int64_t rows = std::min(kStripRows, tokens_ - row);
    float* sums = room(wide_, rows * inner);
    std::byte* active = room(rounded_, rows * inner * element_bytes_);
    multiply(stream(row), layer.up, rows, sums, false);
    kernels().add_bias(sums, layer.up.bias.data(), Activation::gelu, active, element_, rows, inner);
    multiply(active, layer.down, rows, x_.data() + row * width, true);
  }
  normalise(layer.down.bias, layer.after_feed_forward);
}

/// x += down(gelu(up(x))), without down's bias. A row is activated and quantised while it is in L1.
void EncoderForward::feed_forward_int8(const EncoderLayer& layer) {
  const int64_t width = config_.hidden_size, inner = config_.intermediate_size;
  for (int64_t row = 0; row < tokens_; row += kInt8StripRows) {
    const int64_t rows = std::min(kInt8StripRows, tokens_ - row);
    float* sums = room(wide_, (kInt8StripRows + 1) * inner);
    float* active = sums + kInt8StripRows * inner;
    multiply_int8(int8_stream_, row, rows, layer.up, sums, false);
    for (int64_t i = 0; i < rows; ++i) {
      kernels().add_bias(sums + i * inner, layer.up.bias.data(), Activation::gelu, active,
                         Element::f32, 1, inner);
      quantise(active, i, 1, inner, int8_active_, kInt8StripRows);
    }
    multiply_int8(int8_active_, 0, rows, layer.down, x_.data() + row * width, true);
  }
}

/// The mean over a text's tokens, made a unit vector; a mean of zero stays zero.
void EncoderForward::pool(int64_t first, int64_t length, float* vector) const {
  const int64_t width = config_.hidden_size;
  std::vector<double> sums(static_cast<std::size_t>(width));
  for (int64_t t = first; t < first + length; ++t)
    for (int64_t i = 0; i < width; ++i)
      sums[static_cast<std::size_t>(i)] +=
          static_cast<double>(x_[static_cast<std::size_t>(t * width + i)]);
  double squares = 0;
  for (const double sum : sums) squares += sum * sum;
  const double factor = squares > 0 ? 1 / std::sqrt(squares) : 0;
  for (const double sum : sums) *vector++ = static_cast<float>(sum * factor);
}

}  // namespace cupel::nn

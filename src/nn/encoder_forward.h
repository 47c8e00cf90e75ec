// The forward pass of a sentence encoder over texts whose tokens stand below each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "nn/encoder_config.h"
#include "nn/encoder_weights.h"

namespace cupel::nn {

/// One thread's pass and its memory, which it keeps from batch to batch.
class EncoderForward {
 public:
  EncoderForward(const EncoderConfig& config, const EncoderWeights& weights, Element element);

  /// `texts`: ids of each text, none longer than max_position_embeddings, all within the
  /// vocabulary. vectors[i]: where the vector of texts[i] goes, config.hidden_size floats of unit
  /// length.
  void run(std::span<const std::vector<int32_t>* const> texts, std::span<float* const> vectors);

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  /// Rows of 8-bit integers, as kernels().gemm_int8 reads them.
  struct Quantised {
    std::vector<Line> lines;
    std::vector<float> scales;   // a row each
    std::vector<int32_t> zeros;  // a row each
  };
  void embed(std::span<const std::vector<int32_t>* const> texts);
  void attend(const EncoderLayer& layer, std::span<const std::vector<int32_t>* const> texts);
  void attend_head(int64_t first, int64_t length, int64_t head);
  void feed_forward(const EncoderLayer& layer);
  void feed_forward_int8(const EncoderLayer& layer);
  void normalise(const std::vector<float>& add, const EncoderNorm& norm);
  void pool(int64_t first, int64_t length, float* vector) const;
  void project(int64_t row, int64_t rows, const EncoderLinear& linear, float* y);
  void multiply_int8(const Quantised& x, int64_t row, int64_t rows, const EncoderLinear& linear,
                     float* y, bool accumulate) const;
  void quantise(const float* x, int64_t row, int64_t rows, int64_t cols, Quantised& y,
                int64_t all_rows) const;
  void multiply(const std::byte* x, const EncoderLinear& linear, int64_t rows, float* y,
                bool accumulate);
  const std::byte* stream(int64_t row) const;

  const EncoderConfig& config_;
  const EncoderWeights& weights_;
  Element element_;
  int64_t element_bytes_;
  Element context_type_;
  int64_t tokens_ = 0;
  std::vector<float> x_;            // [tokens, hidden]: the stream
  std::vector<std::byte> narrow_;   // the same, rounded to the element type unless that is f32
  Quantised int8_stream_;           // the same under int8
  std::vector<float> wide_;         // sums of a product that widens, some rows at a time
  std::vector<std::byte> rounded_;  // them with bias, activated and rounded
  Quantised int8_active_;           // of a feed-forward layer under int8
  std::vector<std::byte> context_;  // [tokens, hidden], of f32 under int8
  Quantised int8_context_;
  std::vector<float> scores_;      // [length, length] of one head
  std::vector<std::byte> shares_;  // their softmax
  std::vector<Line> workspace_;
};

}  // namespace cupel::nn

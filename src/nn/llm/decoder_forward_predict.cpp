// The prediction layer of DecoderForward, which guesses the token after the next.
#include "nn/llm/decoder_forward.h"
#include "nn/llm/decoder_scratch.h"

namespace cupel::llm {

void DecoderForward::predict(KeyValueCache& cache, int64_t position, std::span<const int32_t> next,
                             const float* hidden, float* logits) {
  const Continuation seen{&cache, next};
  begin({&seen, 1}, {&position, 1});
  const std::size_t layer = weights_.layers.size();
  share_out([&](Rows rows) {
    merge(hidden, rows, Scratch::of_thread());
    project(layer, rows);
  });
  attend(layer);
  share_out([&](Rows rows) { finish_layer(layer, rows); });
  if (logits == nullptr) return;
  const int64_t last = static_cast<int64_t>(next.size()) - 1;
  head(weights_.prediction->norm, {&last, 1}, logits);
}

/// x: what the layer starts from.
void DecoderForward::merge(const float* hidden, Rows rows, Scratch& scratch) {
  const PredictionLayer& prediction = *weights_.prediction;
  const int64_t width = config_.hidden_size, count = rows.end - rows.begin;
  embed(rows);
  float* x = x_.data() + rows.begin * width;
  float* both = room(scratch.wide, count * 2 * width);
  float* inverse = room(scratch.inverse, 1);
  const auto norm = [&](const float* from, const std::vector<float>& weight, float* to) {
    kernels().rms_norm(from, width, weight.data(), static_cast<float>(config_.rms_norm_eps), to,
                       inverse, 1, width);
  };
  for (int64_t row = 0; row < count; ++row) {
    norm(x + row * width, prediction.embedding_norm, both + 2 * row * width);
    norm(hidden + (rows.begin + row) * width, prediction.hidden_norm, both + (2 * row + 1) * width);
  }
  scratch.active_input.bind(weights_.format.layers, both, count, 2 * width);
  scratch.active_input.take(0, count);
  multiply(prediction.merge, scratch.active_input, count, x, false);
}

}  // namespace cupel::llm

#include "pipeline/estimate.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "nn/llm/families.h"

namespace cupel::pipeline {
namespace {

constexpr double kProbeSeconds = 0.1;
constexpr int64_t kRows = 256, kLeastWidth = 64, kMostWidth = 1024;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Zero is as fast as any number; three matrices and the workspace, each on a cache line.
class Probe {
 public:
  Probe(Element type, int64_t width)
      : lines_(static_cast<std::size_t>((2 * kRows + width) * width / kFloats + 3)),
        workspace_(static_cast<std::size_t>(gemm_workspace_bytes() / kLineBytes + 1)) {
    const int64_t a = 0, b = a + kRows * width / kFloats + 1, c = b + width * width / kFloats + 1;
    const auto at = [&](int64_t line) { return lines_[static_cast<std::size_t>(line)].floats; };
    args_ = {kRows, width, width, at(a), width, 1,    type, at(b),
             1,     width, type,  at(c), width, type, false};
  }
  void multiply() { kernels().gemm(args_, workspace_.data()); }

 private:
  static constexpr int64_t kLineBytes = 64, kFloats = 16;
  struct alignas(kLineBytes) Line {
    float floats[kFloats] = {};
  };
  std::vector<Line> lines_, workspace_;
  GemmArgs args_;
};

}  // namespace

double training_flops(const train::Config& config, const llm::ModelConfig& model,
                      const train::Plan& plan) {
  // The embedding is looked up; tied, it is the head's weight as well.
  const int64_t looked_up = model.tie_word_embeddings ? 0 : model.vocab_size * model.hidden_size;
  const llm::Family& family = *llm::find_family(model.family);
  const int64_t key = family.latent_attention ? model.query_width() : model.rotary_width();
  const int64_t value = family.latent_attention ? model.v_head_dim : model.rotary_width();
  // A token looks back at half of its sequence: 2 · length/2 operations a dimension, thrice.
  const int64_t attention = 3 * config.sequence_len * (key + value) * model.num_attention_heads *
                            (model.num_hidden_layers + model.num_nextn_predict_layers);
  const auto products = static_cast<double>(plan.active_parameters - looked_up);
  // Frozen weights get no gradient; adapters are weights on top.
  const bool adapts = config.adapter == train::Adapter::lora;
  const double adapters = adapts ? static_cast<double>(plan.trainable_parameters) : 0;
  const double forward = 2 * (products + adapters) + static_cast<double>(attention) / 3;
  const double backward =
      (adapts ? 2 : 4) * products + 4 * adapters + static_cast<double>(attention) * 2 / 3;
  const double passes = config.gradient_checkpointing ? 2 * forward + backward : forward + backward;
  return passes * static_cast<double>(plan.tokens);
}

double training_flops(const train::Config& config, const nn::EncoderConfig& encoder, int64_t length,
                      double tokens) {
  const auto width = static_cast<double>(encoder.hidden_size);
  const auto inner = static_cast<double>(encoder.intermediate_size);
  // Weights of a layer; a token looks at all of its row: 2 · length operations a dimension, for
  // keys and values, thrice.
  const double layer =
      6 * (4 * width * width + 2 * width * inner) + 12 * static_cast<double>(length) * width;
  const double again = config.gradient_checkpointing ? 4.0 / 3.0 : 1.0;
  return tokens * again * layer * static_cast<double>(encoder.num_hidden_layers);
}

double measured_rate(Element type, int64_t width, ThreadPool& pool) {
  width = std::clamp(width, kLeastWidth, kMostWidth);
  std::vector<double> rates(static_cast<std::size_t>(pool.size()));
  pool.parallel_for(pool.size(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t thread = begin; thread < end; ++thread) {
      Probe probe(type, width);
      probe.multiply();  // the first touches the memory
      const double started = seconds_now();
      double products = 0, seconds = 0;
      while (seconds < kProbeSeconds) {
        probe.multiply();
        ++products;
        seconds = seconds_now() - started;
      }
      rates[static_cast<std::size_t>(thread)] =
          products * 2 * static_cast<double>(kRows * width * width) / seconds;
    }
  });
  double sum = 0;
  for (const double rate : rates) sum += rate;
  return sum;
}

double training_seconds(double flops, double rate, double fp32_rate) {
  return flops / rate + flops / fp32_rate;
}

}  // namespace cupel::pipeline

#include "nn/classifier.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"

namespace cupel::nn {
namespace {

constexpr std::size_t kTokensTogether = 1024;  // a batch's stream and sums stay in the cache

/// y = x · weightᵀ + bias of one row, in double: a few thousand products a text.
void apply(const PackedLinear& linear, const float* x, float* y) {
  const auto* weight = reinterpret_cast<const float*>(linear.weight.data());
  for (int64_t j = 0; j < linear.out; ++j) {
    double sum = static_cast<double>(linear.bias[static_cast<std::size_t>(j)]);
    for (int64_t i = 0; i < linear.in; ++i)
      sum += static_cast<double>(x[i]) * static_cast<double>(weight[j * linear.in + i]);
    y[j] = static_cast<float>(sum);
  }
}

}  // namespace

Classifier Classifier::load(const std::filesystem::path& folder,
                            std::optional<EncoderPrecision> precision) {
  auto parts = std::make_unique<Parts>();
  parts->config = read_trained_classifier_config(folder);
  const EncoderConfig& encoder = parts->config.encoder;
  parts->precision = resolve_encoder_precision(
      precision.value_or(encoder.w4a8 ? EncoderPrecision::w4a8 : EncoderPrecision::fp32));
  const NumberFormat format = format_of(parts->precision.compute, encoder.group_size);
  const std::string where = folder.string();
  const Safetensors file = Safetensors::open(folder);
  parts->weights = take_encoder_weights(file, encoder, format, where);
  const EncoderReader exact(file, {}, where);
  const int64_t width = encoder.hidden_size;
  parts->pooler = exact.linear({"pooler.dense"}, width, width);
  parts->head =
      exact.linear({"classifier"}, static_cast<int64_t>(parts->config.labels.size()), width);
  return Classifier(std::move(parts));
}

/// head(tanh(pooler(x)))
void Classifier::decide(const float* first_token, float* scores) const {
  std::vector<float> pooled(static_cast<std::size_t>(parts_->pooler.out));
  apply(parts_->pooler, first_token, pooled.data());
  for (float& value : pooled) value = std::tanh(value);
  apply(parts_->head, pooled.data(), scores);
}

std::vector<float> Classifier::logits(std::span<const std::vector<int32_t>* const> texts,
                                      ThreadPool& pool) const {
  std::vector<std::size_t> starts;
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CUPEL_ASSERT(!texts[i]->empty());
    if (starts.empty() || tokens + texts[i]->size() > kTokensTogether) {
      starts.push_back(i);
      tokens = 0;
    }
    tokens += texts[i]->size();
  }
  starts.push_back(texts.size());
  const std::size_t classes = parts_->config.labels.size();
  std::vector<float> scores(texts.size() * classes);
  const auto run = [&](std::size_t batch, ThreadPool* threads) {
    EncoderPasses::Pass pass = parts_->passes.take();
    const std::size_t begin = starts[batch], end = starts[batch + 1];
    pass->run(texts.subspan(begin, end - begin), threads);
    for (std::size_t i = begin; i < end; ++i)
      decide(pass->first_token(i - begin), scores.data() + i * classes);
    parts_->passes.give(std::move(pass));
  };
  run_batches(starts.size() - 1, pool, run);
  return scores;
}

}  // namespace cupel::nn

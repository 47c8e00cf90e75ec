#include "nn/llm/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "nn/llm/families.h"

namespace cupel::llm {
namespace {

constexpr double kTurn = 2 * std::numbers::pi;

double magnitude(double factor, double weight) {
  return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1;
}

/// Slow pairs are interpolated, fast ones left alone, with a linear ramp between.
void apply_yarn(const RopeScaling& scaling, double theta, std::vector<double>& frequencies) {
  const double width = 2 * static_cast<double>(frequencies.size());
  const auto context = static_cast<double>(scaling.original_max_position_embeddings);
  const auto pair_of = [&](double rotations) {
    return width * std::log(context / (rotations * kTurn)) / (2 * std::log(theta));
  };
  double low = pair_of(scaling.beta_fast), high = pair_of(scaling.beta_slow);
  if (scaling.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, width - 1);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / scaling.factor * ramp + frequencies[i] * (1 - ramp);
  }
}

void apply_llama3(const RopeScaling& scaling, std::vector<double>& frequencies) {
  const auto context = static_cast<double>(scaling.original_max_position_embeddings);
  const double low = scaling.low_freq_factor, high = scaling.high_freq_factor;
  for (double& frequency : frequencies) {
    const double turns = context * frequency / kTurn;  // context over wavelength
    if (turns > high) continue;
    const double smooth = turns < low ? 0 : (turns - low) / (high - low);
    frequency = (1 - smooth) * frequency / scaling.factor + smooth * frequency;
  }
}

}  // namespace

std::vector<double> rotary_frequencies(const ModelConfig& config) {
  const int64_t width = config.rotary_width();
  std::vector<double> frequencies;
  for (int64_t i = 0; i < width; i += 2)
    frequencies.push_back(
        std::pow(config.rope_theta, -static_cast<double>(i) / static_cast<double>(width)));
  if (config.rope_scaling && config.rope_scaling->type == "yarn")
    apply_yarn(*config.rope_scaling, config.rope_theta, frequencies);
  if (config.rope_scaling && config.rope_scaling->type == "llama3")
    apply_llama3(*config.rope_scaling, frequencies);
  return frequencies;
}

std::vector<double> frequency_divisors(const ModelConfig& config) {
  ModelConfig plain = config;
  plain.rope_scaling.reset();
  std::vector<double> divisors = rotary_frequencies(plain);
  const std::vector<double> extended = rotary_frequencies(config);
  for (std::size_t i = 0; i < divisors.size(); ++i) divisors[i] /= extended[i];
  return divisors;
}

double rotary_factor(const ModelConfig& config) {
  if (!config.rope_scaling || config.rope_scaling->type != "yarn") return 1;
  const RopeScaling& scaling = *config.rope_scaling;
  if (scaling.attention_factor) return *scaling.attention_factor;
  if (scaling.mscale == 0 || scaling.mscale_all_dim == 0) return magnitude(scaling.factor, 1);
  return magnitude(scaling.factor, scaling.mscale) /
         magnitude(scaling.factor, scaling.mscale_all_dim);
}

double attention_scale(const ModelConfig& config) {
  const double scale = 1 / std::sqrt(static_cast<double>(config.query_width()));
  const Family* family = find_family(config.family);
  if (!family->latent_attention || !config.rope_scaling || config.rope_scaling->type != "yarn" ||
      config.rope_scaling->mscale_all_dim == 0)
    return scale;
  const double factor = magnitude(config.rope_scaling->factor, config.rope_scaling->mscale_all_dim);
  return scale * factor * factor;
}

RotaryTables rotary_tables(const ModelConfig& config, int64_t positions) {
  const std::vector<double> frequencies = rotary_frequencies(config);
  const double factor = rotary_factor(config);
  RotaryTables tables;
  tables.pairs = static_cast<int64_t>(frequencies.size());
  for (int64_t position = 0; position < positions; ++position) {
    for (const double frequency : frequencies) {
      const double angle = static_cast<double>(position) * frequency;
      tables.cosine.push_back(std::cos(angle) * factor);
      tables.sine.push_back(std::sin(angle) * factor);
    }
  }
  return tables;
}

}  // namespace cupel::llm

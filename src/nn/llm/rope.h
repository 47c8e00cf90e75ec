// Rotary position embedding: angles, YaRN's and Llama 3's changes to them, and the factors YaRN
// puts on attention.
#pragma once

#include <vector>

#include "nn/llm/config.h"

namespace cupel::llm {

/// Radians a position turns pair i of a head's rotary dimensions, i = 0 … rotary_width / 2 - 1 (Su
/// et al. 2021, section 3.2.2).
std::vector<double> rotary_frequencies(const ModelConfig& config);

/// By what context extension divides them.
std::vector<double> frequency_divisors(const ModelConfig& config);

/// What cosines and sines are multiplied with: attention_factor if it is given, else mscale over
/// mscale_all_dim (YaRN, section 3.4, in the form of DeepSeek's models); 1 without YaRN.
double rotary_factor(const ModelConfig& config);

/// What scores are multiplied with before the softmax: 1 / sqrt(query width), times the square of
/// YaRN's mscale_all_dim factor in families with latent attention.
double attention_scale(const ModelConfig& config);

/// Cosines and sines of all pairs at positions 0 … positions - 1, rotary_factor included.
struct RotaryTables {
  int64_t pairs = 0;
  std::vector<double> cosine, sine;  // [positions, pairs]
};
RotaryTables rotary_tables(const ModelConfig& config, int64_t positions);

}  // namespace cupel::llm

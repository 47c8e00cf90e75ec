// Which experts a token is given to, and with what weight.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/llm/config.h"

namespace cupel::llm {

struct RoutedTokens {
  struct Share {
    int64_t row;
    float weight;
  };
  std::vector<std::vector<Share>> of_expert;  // rows ascending
};

/// `logits` [rows, experts] of the router. With a balancing bias [experts]: by sigmoid scores,
/// chosen by score + bias within the topk_group best groups (a group's score is the sum of its two
/// best), weighed by the score alone (DeepSeek-V3, section 2.1.2). Without: by softmax; a group's
/// score is its best (DeepSeek-V2, section 2.2.2). The first of equal scores is chosen.
RoutedTokens route(const ModelConfig& config, const std::vector<float>& balance,
                   const float* logits, int64_t rows);

}  // namespace cupel::llm

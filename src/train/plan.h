// What a training run will need: parameters, steps, memory, before anything is loaded.
#pragma once

#include <cstdint>

#include "train/train.h"

namespace cupel::train {

struct Plan {
  int64_t parameters = 0, active_parameters = 0, steps = 0, tokens = 0;
  int64_t weight_bytes = 0, optimizer_bytes = 0, gradient_bytes = 0, activation_bytes = 0;
  int64_t planned_memory_bytes = 0;
  static constexpr auto fields() {
    using C = Plan;
    return std::tuple{
        Field{"parameters", &C::parameters, "weights of the model"},
        Field{"active_parameters", &C::active_parameters, "weights that one token passes through"},
        Field{"steps", &C::steps, "optimizer steps"},
        Field{"tokens", &C::tokens, "tokens seen over all steps"},
        Field{"weight_bytes", &C::weight_bytes, "master weights"},
        Field{"optimizer_bytes", &C::optimizer_bytes, "AdamW's two moments"},
        Field{"gradient_bytes", &C::gradient_bytes, "gradients"},
        Field{"activation_bytes", &C::activation_bytes, "kept for the backward pass"},
        Field{"planned_memory_bytes", &C::planned_memory_bytes, "peak of all tensors"}};
  }
};

Plan plan(const Config& config, int64_t vocab_size, int64_t sequences_per_epoch);

}  // namespace cupel::train

// What a training run will need, before anything is loaded.
#pragma once

#include <cstdint>

#include "nn/llm/config.h"
#include "nn/precision.h"
#include "train/train.h"

namespace cupel::train {

inline constexpr int64_t kFloatBytes = 4, kLongBytes = 8;  // of one number of fp32 and of int64

/// Sizes in bytes, of tensors of one process: what the tensor allocator will have at its peak.
struct Plan {
  int64_t parameters = 0, active_parameters = 0, trainable_parameters = 0;
  int64_t world_size = 1, steps = 0, tokens = 0;
  int64_t weight_bytes = 0, gradient_bytes = 0, optimizer_bytes = 0, activation_bytes = 0;
  int64_t planned_memory_bytes = 0;

  static constexpr auto fields() {
    using C = Plan;
    return std::tuple{
        Field{"parameters", &C::parameters, "weights of the model"},
        Field{"active_parameters", &C::active_parameters, "weights that one token passes through"},
        Field{"trainable_parameters", &C::trainable_parameters,
              "weights that will be trained: all, or those of the adapters"},
        Field{"world_size", &C::world_size, "processes that will train it"},
        Field{"steps", &C::steps, "optimizer steps"},
        Field{"tokens", &C::tokens, "tokens that will be seen, by all processes"},
        Field{"weight_bytes", &C::weight_bytes, "fp32 weights and their 16-bit copies"},
        Field{"gradient_bytes", &C::gradient_bytes,
              "fp32 gradients; with several processes also a part of them on its way"},
        Field{"optimizer_bytes", &C::optimizer_bytes, "AdamW's two moments"},
        Field{"activation_bytes", &C::activation_bytes,
              "kept for the backward pass, and its largest working set; what hooks hold meanwhile"},
        Field{"planned_memory_bytes", &C::planned_memory_bytes, "all of these, in each process"}};
  }
};

/// Throws Error{config} if a model of `model_vocab` tokens and `positions` has no room for the
/// tokenizer's tokens or the recipe's sequences.
void require_room(const Config& config, int64_t model_vocab, int64_t tokenizer_vocab,
                  int64_t positions);

/// Tokens of `steps` by all processes; throws Error{config} for more than 9e18.
int64_t tokens_seen(const Config& config, int64_t steps, int64_t world_size,
                    int64_t tokens_a_micro_batch);
/// Throws Error{config} for a micro-batch whose bytes could not be added up in 64 bits.
void require_countable(double bytes, int64_t tokens);

/// The model that will be trained: that of base_model, or the recipe's with the tokenizer's
/// vocabulary. Throws Error{config} if the two disagree about the vocabulary or the length.
llm::ModelConfig resolve_model(const Config& config, int64_t vocab_size);

/// `compute`: what the run's precision comes to on this machine. `hooks`: what those of the run
/// hold. `world_size`: processes of the run.
Plan plan(const Config& config, const llm::ModelConfig& model, nn::Precision compute,
          int64_t sequences_per_epoch, const nn::HookMemory& hooks = {}, int64_t world_size = 1);

}  // namespace cupel::train

#include "train/plan.h"

#include <cmath>

namespace cupel::train {

Plan plan(const Config& config, int64_t vocab_size, int64_t sequences_per_epoch) {
  llm::ModelConfig model = config.model
                               ? *config.model
                               : llm::read_model_config(config.base_model.text + "/config.json");
  if (model.vocab_size == 0) model.vocab_size = vocab_size;
  Plan plan;
  plan.parameters = llm::parameter_count(model);
  plan.active_parameters = llm::active_parameter_count(model);
  const int64_t sequences = config.micro_batch_size * config.gradient_accumulation_steps;
  plan.steps = config.max_steps.value_or(
      static_cast<int64_t>(std::ceil(config.num_epochs * static_cast<double>(sequences_per_epoch) /
                                     static_cast<double>(sequences))));
  plan.tokens = plan.steps * sequences * config.sequence_len;
  plan.weight_bytes = plan.gradient_bytes = 4 * plan.parameters;
  plan.optimizer_bytes = 8 * plan.parameters;
  const int64_t tokens = config.micro_batch_size * config.sequence_len;
  plan.activation_bytes =
      4 * tokens * (2 * model.vocab_size + 16 * model.hidden_size * model.num_hidden_layers);
  plan.planned_memory_bytes =
      plan.weight_bytes + plan.gradient_bytes + plan.optimizer_bytes + plan.activation_bytes;
  return plan;
}

}  // namespace cupel::train

#include "train/plan.h"

namespace cupel::train {
llm::ModelConfig resolve_model(const Config& config, int64_t vocab_size) {
  llm::ModelConfig model = *config.model;
  model.vocab_size = vocab_size;
  return model;
}
Plan plan(const Config& config, const llm::ModelConfig& model, nn::Precision, int64_t) {
  Plan plan;
  plan.parameters = llm::parameter_count(model);
  plan.steps = *config.max_steps;
  return plan;
}
}  // namespace cupel::train

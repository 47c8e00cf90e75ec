#include "augment/embeddings.h"

namespace cupel::augment {

std::vector<std::string> EmbeddingConfig::problems() const {
  if (method == EmbeddingMethod::fgsm && (steps || step_size))
    return {"fgsm takes one step of epsilon; leave out steps and step_size, or take method: pgd"};
  return {};
}

int64_t EmbeddingConfig::resolved_steps() const {
  if (method == EmbeddingMethod::fgsm) return 1;
  return steps.value_or(method == EmbeddingMethod::pgd ? 7 : 3);
}

double EmbeddingConfig::resolved_step_size() const {
  if (method == EmbeddingMethod::fgsm) return epsilon;
  return step_size.value_or(2.5 * epsilon / static_cast<double>(resolved_steps()));
}

double EmbeddingConfig::cost() const {
  if (epsilon == 0) return 1;
  const auto ascents = static_cast<double>(resolved_steps());
  return method == EmbeddingMethod::freelb ? ascents : 1 + ascents * 4 / 6;
}

nn::HookMemory EmbeddingConfig::memory() const {
  if (epsilon == 0) return {};
  // The inputs of a pass are moved embeddings, which plan() counts. Beside them stand the
  // embeddings as they are and the move; from freelb's second pass on the sum of their gradients
  // too.
  const bool again = method == EmbeddingMethod::freelb && resolved_steps() > 1;
  return {again ? 3 : 2, again};
}

}  // namespace cupel::augment

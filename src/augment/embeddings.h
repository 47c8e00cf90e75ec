// Training a text model against moved embeddings: FGSM, PGD and FreeLB as hooks of the loop.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "nn/fit.h"

namespace cupel::augment {

/// fgsm (Goodfellow et al. 2015): x' = x + ε sign ∇L; the moved batch takes the place of the clean
/// one. pgd (Madry et al. 2018): the same by several steps from a uniform point of the box.
/// freelb (Zhu et al. 2020, algorithm 1): several steps along ∇L over its length, the mean of the
/// gradients of every step trains, so that an ascent costs no pass of its own.
enum class EmbeddingMethod { fgsm, pgd, freelb };
constexpr std::array<std::string_view, 3> names(EmbeddingMethod) {
  return {"fgsm", "pgd", "freelb"};
}
static_assert(names(EmbeddingMethod{}).size() ==
              static_cast<std::size_t>(EmbeddingMethod::freelb) + 1);

/// Lengths are shares of the embeddings' own: FreeLB's paper has absolute ones, which mean another
/// thing in every model and at every step of a training.
struct EmbeddingConfig {
  EmbeddingMethod method = EmbeddingMethod::fgsm;
  double epsilon = 0.1;
  std::optional<int64_t> steps;
  std::optional<double> step_size;
  static constexpr std::string_view kShorthand = "method";
  static constexpr auto fields() {
    using C = EmbeddingConfig;
    return std::tuple{
        Field{"method", &C::method, "how embeddings are moved"},
        Field{"epsilon", &C::epsilon,
              "greatest move of a sequence, over its embeddings: of each element over their root "
              "mean square (fgsm, pgd), in length (freelb)",
              0, 100},
        Field{"steps", &C::steps, "of pgd (default 7) and freelb (default 3)", 1, 100},
        Field{"step_size", &C::step_size, "in the unit of epsilon; default: 2.5 epsilon / steps", 0,
              100}};
  }
  std::vector<std::string> problems() const;
  int64_t resolved_steps() const;
  double resolved_step_size() const;
  /// What a step of training costs, over a plain one of a forward pass (2 operations a weight and
  /// token) and a backward pass (4; 2 where the gradient of the inputs alone is wanted).
  double cost() const;
  nn::HookMemory memory() const;
};

struct EmbeddingReport {
  EmbeddingMethod method = EmbeddingMethod::fgsm;
  double epsilon = 0;
  int64_t steps = 0;
  double extra_step_ms = 0;
  static constexpr auto fields() {
    using C = EmbeddingReport;
    return std::tuple{Field{"method", &C::method, "how embeddings were moved"},
                      Field{"epsilon", &C::epsilon, "greatest move, over the embeddings"},
                      Field{"steps", &C::steps, "of ascent"},
                      Field{"extra_step_ms", &C::extra_step_ms,
                            "milliseconds of a step before its last pass, mean"}};
  }
};

/// What the hooks did beside a plain pass.
struct EmbeddingWork {
  double extra_ms = 0;
  int64_t micro_batches = 0;
};

/// fgsm and pgd are a batch hook. freelb owns the backward pass, as each of its passes gives both
/// gradients at once. Padding does not move, and with epsilon 0 nothing does: the loop then takes
/// its plain steps. Starting points are a function of the run's seed and Batch::index. `run` and
/// `work` must outlive the hooks.
nn::FitHooks embedding_hooks(const EmbeddingConfig& config, const Run& run, EmbeddingWork& work);

}  // namespace cupel::augment

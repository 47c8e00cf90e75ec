// Training a perceptron on rows, some of them moved against it as it learns.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "augment/attack.h"
#include "augment/dataset.h"

namespace cupel::augment {

struct FitConfig {
  std::vector<int64_t> hidden = {64, 64};
  int64_t epochs = 12;
  int64_t batch_size = kBatch;
  double learning_rate = 3e-3;
  double weight_decay = 0.03;
};

/// Accuracy on as many positives as negatives under an attack of one step and under PGD-10.
struct Probe {
  double fgsm = 0, pgd = 0;
};

/// Catastrophic overfitting (Wong, Rice and Kolter 2020): the network resists the single step it is
/// trained with and no longer the small ones. True where PGD has lost 0.2 of its best epoch and
/// FGSM stands 0.2 above it.
bool has_collapsed(const std::vector<Probe>& epochs);

struct Fitted {
  Mlp network;
  float threshold = 0;        // of the logit: best F1 on clean validation rows
  std::vector<Probe> probes;  // one an epoch; none without an attack
};

/// AdamW on the mean binary cross-entropy. Without `how` the rows are as they are. With noise,
/// fgsm, fgsm_rs or pgd each batch is moved against the network of that moment and takes the place
/// of the clean one; with trades the loss is CE(f(x), y) + KL(f(x) ‖ f(x')). All epochs are run:
/// stopping early by robust F1 would give the plain network the very gain that is measured. A
/// function of its arguments alone. `poll` is called at every batch and may throw.
Fitted fit(const FitConfig& config, const std::optional<AdversarialAugmentation>& how,
           const Perturber& perturber, const Dataset& data, uint64_t seed,
           const std::function<void()>& poll = {});

}  // namespace cupel::augment

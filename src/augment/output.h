// What `augment` leaves: the network as a folder, the training rows before and after as a table.
#pragma once

#include <string>

#include "augment/fit.h"
#include "base/run.h"

namespace cupel::augment {

/// model/model.safetensors (layers.N.weight [out, in], layers.N.bias [out]) and model/config.json:
/// features with mean and deviation, hidden sizes, threshold of the logit.
void write_model(const Fitted& fitted, const std::vector<Feature>& features, Run& run);

/// Header and rows: features in the table's unit, `label`, and `augmented`, 0 for the training rows
/// and 1 for the same rows moved against the network.
void write_rows(const Fitted& fitted, const AdversarialAugmentation& how,
                const Perturber& perturber, const Rows& rows, Run& run);

}  // namespace cupel::augment

// From the settings of `augment` to rows: a file or the simulator, one-hot columns, the split.
#pragma once

#include "augment/augment.h"
#include "augment/dataset.h"

namespace cupel::augment {

/// A table's columns other than label, group, time and `exclude` become features; one of texts
/// becomes a one-hot group. A row with a missing number goes to Run::reject. Throws what run()
/// says.
Dataset load(const Config& config, Run& run);

}  // namespace cupel::augment

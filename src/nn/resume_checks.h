// What a run that goes on is held against: the processes and the arithmetic of its checkpoint.
#pragma once

#include <string>

#include "base/json.h"
#include "base/run.h"
#include "nn/precision.h"

namespace cupel::nn {

/// What a checkpoint keeps for them, as the run is now.
json::Object arithmetic_of(const Run& run, Precision compute);

/// `state`: of the checkpoint. Throws Error{config} where another number of processes, whose steps
/// take other batches, would go on with it; warns of another kernel row, precision or number of
/// threads, under which sums come in another order or are rounded otherwise.
void check_arithmetic(const json::Value& state, const std::string& where, Precision compute,
                      Run& run);

}  // namespace cupel::nn

#include "nn/device.h"

#include "kernels/dispatch.h"

namespace cupel::nn {

bool has_fp16_units() { return false; }

bool has_bf16_units() { return multiplies_bf16(kernels()); }

}  // namespace cupel::nn

#include "nn/precision.h"

namespace cupel::nn {

PrecisionReport resolve_precision(Precision requested, bool has_fp16_units, bool has_bf16_units) {
  const std::string emulated_bf16 =
      "this CPU has no bf16 matrix units either: products are exact but no faster than fp32";
  switch (requested) {
    case Precision::fp32:
      return {requested, Precision::fp32, "as asked"};
    case Precision::bf16:
      return {requested, Precision::bf16, has_bf16_units ? "as asked" : emulated_bf16};
    case Precision::fp16:
      return {requested, Precision::fp16,
              has_fp16_units ? "as asked"
                             : "forced on a device without FP16 matrix units: operands are "
                               "converted, multiplied in "
                               "fp32 and rounded once, exact but no faster than fp32"};
    case Precision::mixed:
      break;
  }
  if (has_fp16_units) return {requested, Precision::fp16, "the device multiplies FP16 matrices"};
  std::string reason =
      "the device has no FP16 matrix units; bf16 has fp32's range, so no loss scaling is needed";
  if (!has_bf16_units) reason += "; " + emulated_bf16;
  return {requested, Precision::bf16, reason};
}

}  // namespace cupel::nn

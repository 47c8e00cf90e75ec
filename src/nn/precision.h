// Number formats of training: what was asked for, what the device can do, and why one became the
// other.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/config.h"

namespace cupel::nn {

/// fp32: everything in binary32. bf16, fp16: matrix products on 16-bit operands with fp32 sums,
/// fp32 master weights. mixed: fp16 with loss scaling where the device has FP16 matrix units, else
/// bf16.
enum class Precision { fp32, bf16, fp16, mixed };
constexpr std::array<std::string_view, 4> names(Precision) {
  return {"fp32", "bf16", "fp16", "mixed"};
}
static_assert(names(Precision{}).size() == static_cast<std::size_t>(Precision::mixed) + 1);

struct PrecisionReport {
  Precision requested = Precision::fp32;
  Precision compute = Precision::fp32;  // never mixed
  std::string reason;  // why `compute` differs from `requested`, or how it is carried out
  static constexpr auto fields() {
    return std::tuple{
        Field{"requested", &PrecisionReport::requested, "precision of the recipe"},
        Field{"compute", &PrecisionReport::compute, "operands of the matrix products"},
        Field{"reason", &PrecisionReport::reason, "why"}};
  }
};

/// `has_fp16_units`: the device multiplies FP16 matrices in hardware (a CUDA GPU; no CPU row of
/// ours). `has_bf16_units`: AVX-512 BF16 or AMX, or a GPU; without them bf16 is exact but no faster
/// than fp32.
PrecisionReport resolve_precision(Precision requested, bool has_fp16_units, bool has_bf16_units);

}  // namespace cupel::nn

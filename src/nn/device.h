// What the machine multiplies in hardware; the one device so far is the CPU.
#pragma once

#include <string_view>

namespace cupel::nn {

/// FP16 matrix units: none on any CPU row.
bool has_fp16_units();
/// The kernel row in use multiplies bf16 in hardware (AVX-512 BF16 or AMX).
bool has_bf16_units();

}  // namespace cupel::nn

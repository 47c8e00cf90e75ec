// What the machine multiplies in hardware; the one device so far is the CPU.
#pragma once

#include <string_view>

namespace cupel::nn {

/// FP16 matrix units: none on any CPU row.
bool has_fp16_units();
/// The kernel row in use multiplies bf16 faster than fp32: AMX, or AVX-512 BF16 on AMD's CPUs.
bool has_bf16_units();

}  // namespace cupel::nn

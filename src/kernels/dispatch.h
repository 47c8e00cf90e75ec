// Which rows of the kernel table this machine can run, and how one is chosen.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "kernels/kernels.h"

namespace cupel {

/// Every row there is, fastest first: amx, avx512vnni, avx512, avx2, scalar.
std::span<const std::string_view> row_names();

/// The rows that this CPU and operating system support, fastest first, empty slots filled. "scalar"
/// is last.
const std::vector<Kernels>& available_rows();

/// Whether products of bf16 by bf16 take less time in `row` than those of fp32 on this CPU.
bool multiplies_bf16(const Kernels& row);

/// The row called `name`, or the first if `name` is null or empty.
/// Throws Error{config} that lists the available rows if `name` is unknown or unsupported here.
const Kernels& choose_row(const char* name, const std::vector<Kernels>& rows);

}  // namespace cupel

// What tensors take of the machine's memory, and how freed memory is kept for the next step.
#pragma once

#include <cstdint>

namespace cupel::nn {

/// From the first call on, counts every CPU tensor that is made. Other memory (scratch of the
/// kernels, autograd's graph, data sets) is not counted.
void count_tensor_bytes();
/// Of the tensors there are now.
int64_t live_tensor_bytes();
/// High-water mark since the last reset.
int64_t peak_tensor_bytes();
void reset_peak_tensor_bytes();

/// Tells malloc to keep what is freed: a training step frees and takes the same large blocks each
/// time, and getting them from the kernel anew costs a page fault for every 4 KiB.
void keep_freed_memory();

}  // namespace cupel::nn

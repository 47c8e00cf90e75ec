// LibTorch's own settings: threads, devices, version.
#pragma once

#include <cstdint>
#include <string>

#include "nn/device.h"

namespace cupel::nn {

/// Threads of LibTorch's operations and of the kernels that run under them.
void use_threads(int threads);
/// "2.11.0"
std::string libtorch_version();

/// The device for the process of local rank `local_rank`; ranks beyond the number of GPUs share
/// them in turn. A GPU counts if a product on it gives what it should. Where there is none,
/// whatever was requested, it is the CPU, and the reason says why.
DeviceReport choose_device(DeviceKind requested, int64_t local_rank);

/// How a GPU computes: sums in one order (slower than LibTorch's fastest), fp32 products on fp32
/// or, with `tf32`, on 19-bit operands.
void use_gpu(int64_t local_rank, bool tf32);

/// Tensor bytes on the GPU of this rank: free now, and high-water mark since the last reset. Only
/// where choose_device() gave cuda.
int64_t free_gpu_bytes(int64_t local_rank);
int64_t peak_gpu_bytes(int64_t local_rank);
void reset_peak_gpu_bytes(int64_t local_rank);

}  // namespace cupel::nn

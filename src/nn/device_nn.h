// LibTorch's own settings: threads and version.
#pragma once

#include <string>

namespace cupel::nn {

/// Threads of LibTorch's operations and of the kernels that run under them.
void use_threads(int threads);
/// "2.11.0"
std::string libtorch_version();

}  // namespace cupel::nn

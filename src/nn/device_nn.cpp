#include "nn/device_nn.h"

#include <torch/csrc/api/include/torch/version.h>

#include "nn/torch_nn.h"

namespace cupel::nn {

void use_threads(int threads) { at::set_num_threads(threads); }

std::string libtorch_version() { return TORCH_VERSION; }

}  // namespace cupel::nn

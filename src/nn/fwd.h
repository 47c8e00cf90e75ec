// Forward declarations, so that headers can name tensors without including LibTorch.
#pragma once

namespace at {
class Tensor;
}
namespace torch::nn {
class Module;
}

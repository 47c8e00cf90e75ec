#include "nn/initial_weights_nn.h"

namespace cupel::nn {

void draw_matrices(const torch::nn::Module& module, double deviation, const Run& run) {
  uint64_t index = 0;
  for (const auto& item : module.named_parameters()) {
    Rng rng = run.stream("initial weights", index++);
    const at::Tensor& weight = item.value();
    if (weight.dim() < 2) continue;
    at::NoGradGuard no_grad;
    float* data = weight.mutable_data_ptr<float>();
    for (int64_t i = 0; i < weight.numel(); ++i)
      data[i] = static_cast<float>(deviation * rng.normal());
    weight.unsafeGetTensorImpl()->bump_version();
  }
}

}  // namespace cupel::nn

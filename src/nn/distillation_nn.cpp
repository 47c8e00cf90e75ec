#include "nn/distillation_nn.h"

namespace cupel::nn {

at::Tensor distillation_loss(const at::Tensor& teacher, const at::Tensor& student,
                             double temperature) {
  const double t = temperature;
  const at::Tensor wanted = at::log_softmax(teacher / t, 1);
  return t * t * (wanted.exp() * (wanted - at::log_softmax(student / t, 1))).sum();
}

}  // namespace cupel::nn

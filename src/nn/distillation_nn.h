// What a model learns from the answers of another.
#pragma once

#include "nn/torch_nn.h"

namespace cupel::nn {

/// T² · KL(teacher ‖ student) of answers at temperature T, summed over rows (Hinton et al. 2015).
/// Logits [rows, classes] of both; differentiable by the student's.
at::Tensor distillation_loss(const at::Tensor& teacher, const at::Tensor& student,
                             double temperature);

}  // namespace cupel::nn

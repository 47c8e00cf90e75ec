#include "nn/distillation_nn.h"

#include <gtest/gtest.h>

#include <cmath>

namespace cupel::nn {
namespace {

TEST(DistillationLoss, IsTheDivergenceOfTheAnswersAtTheirTemperature) {
  // At temperature 2 the teacher says 3/4 and 1/4, the student 1/2 and 1/2, in both rows.
  const at::Tensor teacher = at::tensor({2 * std::log(3.0f), 0.0f, 2 * std::log(3.0f), 0.0f}),
                   student = at::zeros({2, 2});
  const double expected = 4 * 2 * (0.75 * std::log(1.5) + 0.25 * std::log(0.5));
  EXPECT_NEAR(distillation_loss(teacher.reshape({2, 2}), student, 2).item<double>(), expected,
              1e-6);
}

TEST(DistillationLoss, PullsTheStudentToTheTeacherAndEndsThere) {
  const at::Tensor teacher = at::tensor({1.0f, -1.0f}).reshape({1, 2});
  const auto gradient = [&](const at::Tensor& from) {
    const at::Tensor student = from.clone().set_requires_grad(true);
    distillation_loss(teacher, student, 3).backward();
    return student.grad();
  };
  EXPECT_LT(gradient(at::zeros({1, 2}))[0][0].item<float>(), 0);
  EXPECT_NEAR(gradient(teacher).abs().max().item<float>(), 0, 1e-6f);
}

}  // namespace
}  // namespace cupel::nn

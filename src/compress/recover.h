// Recovery: a narrower model learns from the one it was made of, and to live with 4-bit weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "nn/classified_rows.h"
#include "nn/classifier_model.h"

namespace cupel::compress {

struct RecoverConfig {
  ModelPath teacher;
  std::optional<int64_t> steps;
  double num_epochs = 4;
  int64_t micro_batch_size = 16;
  double learning_rate = 1e-4;
  double temperature = 2;
  double label_weight = 0.5;
  double feature_weight = 1;
  double qat = 0.5;
  static constexpr auto fields() {
    using C = RecoverConfig;
    return std::tuple{
        Field{"teacher", &C::teacher, "classifier to learn from; default: the model given"},
        Field{"steps", &C::steps, "optimizer steps of all rounds; default: num_epochs", 1, 1e9},
        Field{"num_epochs", &C::num_epochs, "passes over datasets, of all rounds together", 0.001,
              1e4},
        Field{"micro_batch_size", &C::micro_batch_size, "texts a step", 1, 1e6},
        Field{"learning_rate", &C::learning_rate, "peak learning rate", 0, 1},
        Field{"temperature", &C::temperature, "of both sides' answers in distillation", 0.1, 100},
        Field{"label_weight", &C::label_weight,
              "share of the labels in the loss; the rest is the teacher's answers", 0, 1},
        Field{"feature_weight", &C::feature_weight,
              "weight of the squared difference of each layer's output to the teacher's", 0, 1e6},
        Field{"qat", &C::qat,
              "share of the last round whose steps see 4-bit weights and 8-bit activations "
              "(quantisation-aware training); without quantize: none",
              0, 1}};
  }
};

/// One round's work.
struct RecoverTask {
  const RecoverConfig& config;
  std::filesystem::path teacher;
  const std::vector<nn::RowSet>& rows;
  int64_t steps = 0;
  int64_t qat_from = 0;     // the first step that sees codes; `steps`: none
  int64_t group_size = 32;  // of the codes
};

/// Trains `student` in place; checkpoints, metrics and resuming as nn::fit() has them. Returns the
/// loss at the end.
using Recover =
    std::function<double(nn::ClassifierModel& student, const RecoverTask& task, Run& run)>;

/// That function; needs LibTorch.
///
/// A text's loss is label_weight · cross entropy + (1 − label_weight) · T² · KL(teacher ‖ student)
/// of answers at temperature T (Hinton et al. 2015) + feature_weight · mean squared difference of
/// the layers' outputs (Sun et al. 2019; both have the same width, so nothing projects). Under
/// codes, products read weights and activations as they will be stored, gradients pass through as
/// if nothing was rounded (Bengio et al. 2013); the scales of a weight's groups are searched anew
/// every kScaleSteps steps, the codes are the nearest at every step.
double recover_classifier(nn::ClassifierModel& student, const RecoverTask& task, Run& run);

constexpr int64_t kScaleSteps = 25;

}  // namespace cupel::compress

// A text classifier as PyTorch's eager operators compute it: what our own passes are timed against.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nn/classifier_model.h"
#include "nn/torch_nn.h"

namespace cupel::nn {

/// transformers' BertForSequenceClassification in fp32, operator by operator as it calls them (one
/// product with its bias an operator, attention fused), without Python between them.
class EagerClassifier {
 public:
  explicit EagerClassifier(const ClassifierModel& model);
  /// Scores of the classes for one text's ids, with LibTorch's threads.
  std::vector<float> logits(const std::vector<int32_t>& ids) const;

 private:
  const at::Tensor& part(const std::string& name) const { return parts_.at(name); }
  at::Tensor linear(const at::Tensor& x, const std::string& name) const;
  at::Tensor normed(const at::Tensor& x, const std::string& name) const;
  at::Tensor layer(const at::Tensor& x, int64_t index) const;

  ClassifierConfig config_;
  std::map<std::string, at::Tensor> parts_;
};

}  // namespace cupel::nn

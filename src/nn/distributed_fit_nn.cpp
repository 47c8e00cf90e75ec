#include "nn/distributed_fit_nn.h"

#include "nn/torch_nn.h"

namespace cupel::nn {

void Ensemble::sum(std::vector<double>& values, const std::string& what) {
  if (alone()) return;
  values.push_back(run_.stop_requested() ? 1 : 0);
  const auto size = static_cast<int64_t>(values.size());
  group_->sum(at::from_blob(values.data(), {size}, at::kDouble), what);
  stop_agreed_ = stop_agreed_ || values.back() > 0;
  values.pop_back();
}

bool Ensemble::of_first(bool here, const std::string& what) {
  return !from_first(here ? "yes" : "", what).empty();
}

std::string Ensemble::from_first(std::string here, const std::string& what) {
  return alone() ? here : group_->from_first(std::move(here), what);
}

void Ensemble::share(const std::vector<at::Tensor>& tensors, const std::string& what) {
  if (alone()) return;
  for (const at::Tensor& each : tensors) group_->broadcast(each, what);
}

GradientHook Ensemble::share_gradients(std::vector<at::Tensor> parameters, GradientHook hook,
                                       bool one_pass) {
  if (alone()) return hook;
  gradients_.emplace(std::move(parameters), *group_);
  return gradients_->around(std::move(hook), one_pass);
}

}  // namespace cupel::nn

// What the training loop asks of the other processes of its run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "nn/distributed_gradients_nn.h"
#include "nn/hooks.h"

namespace cupel::nn {

/// Of a process that is alone, every answer is its own. `what` names a call in errors, see Group.
class Ensemble {
 public:
  explicit Ensemble(Run& run) : run_(run), group_(run.peers().group.get()) {}

  bool alone() const { return group_ == nullptr; }
  int64_t rank() const { return run_.peers().rank; }
  int64_t size() const { return run_.peers().size; }

  /// Sums over all processes in the place of `values`. Carries the request to stop, so that all
  /// stop after the same step.
  void sum(std::vector<double>& values, const std::string& what);
  bool wants_stop() const { return alone() ? run_.stop_requested() : stop_agreed_; }

  /// Rank 0's word and text.
  bool of_first(bool here, const std::string& what);
  std::string from_first(std::string here, const std::string& what);
  /// Rank 0's values in the place of `tensors`.
  void share(const std::vector<at::Tensor>& tensors, const std::string& what);
  /// `hook` with gradients summed over all processes, see SharedGradients.
  GradientHook share_gradients(std::vector<at::Tensor> parameters, GradientHook hook,
                               bool one_pass);

 private:
  Run& run_;
  Group* group_;
  bool stop_agreed_ = false;
  std::optional<SharedGradients> gradients_;
};

}  // namespace cupel::nn

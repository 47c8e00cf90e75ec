// Gradients that are sums over all processes of a run.
#pragma once

#include <memory>
#include <vector>

#include "nn/distributed_nn.h"
#include "nn/hooks.h"

namespace cupel::nn {

/// Parameters, the last first, in buckets of at most `most` elements, or of one parameter that is
/// larger; the first of at most `first`. Indices into `sizes`.
std::vector<std::vector<std::size_t>> cut_into_buckets(const std::vector<int64_t>& sizes,
                                                       int64_t first, int64_t most);

/// Sums the gradients of fp32 parameters over a group. A sum starts as soon as the gradients of its
/// bucket are there and goes on during the backward pass; the next one never overtakes it, so all
/// ranks start them in one order. A parameter that has a gradient on no rank keeps having none.
class SharedGradients {
 public:
  SharedGradients(std::vector<at::Tensor> parameters, Group& group);
  ~SharedGradients();
  SharedGradients(const SharedGradients&) = delete;
  SharedGradients& operator=(const SharedGradients&) = delete;

  /// `hook` with the sum between its last accumulate() and its finish_step(): clip, sum over
  /// examples, sum over ranks, noise. `one_pass`: its last accumulate() gives every parameter its
  /// gradient at once, as a single backward() does, so sums may start within it. Lives as long as
  /// this object at most.
  GradientHook around(GradientHook hook, bool one_pass);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel::nn

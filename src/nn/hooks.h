// The two seams of the training loop: what may change a batch, and who carries out the backward
// pass.
#pragma once

#include <cstdint>
#include <functional>

#include "nn/fwd.h"

namespace cupel::nn {

struct Batch;  // nn/batch_nn.h

/// The sum (not the mean) of the losses of a batch's counted labels, a differentiable scalar. The
/// loop divides by the number of counted labels of the whole step, so micro-batches of any size
/// give the same gradient.
using LossFunction = std::function<at::Tensor(const Batch&)>;

/// Called once a micro-batch with the loss as a function of the batch; returns the loss to
/// differentiate. The default is loss(batch). FGSM calls it, differentiates by the batch's
/// embeddings or features, perturbs them and calls it again; TRADES combines several calls.
/// Batch::embeddings holds what FitModel::embed gives, with its way back to the table, and
/// Batch::index the micro-batch.
using BatchHook = std::function<at::Tensor(Batch& batch, const LossFunction& loss)>;

/// Owns the backward pass.
struct GradientHook {
  /// Adds d(factor * loss)/dp to the grad of every parameter p for one micro-batch. `loss` has the
  /// batch hook applied already. The default evaluates it once and calls backward(); DP-SGD
  /// evaluates or splits it by example, clips each example's gradient and adds the clipped sum; a
  /// distributed run starts the all-reduce of a bucket as soon as its gradients are there, if
  /// `last` (the step's last micro-batch); FreeLB adds the gradients of several passes. Embeddings
  /// and index are those of a batch hook's batch. Returns the unscaled loss sum, detached.
  std::function<at::Tensor(Batch& batch, const LossFunction& loss, double factor, bool last)>
      accumulate;
  /// Called once a step, after the last accumulate and before unscaling: waits for all-reduces,
  /// adds noise.
  std::function<void()> finish_step;
};

/// What of tensor memory a hook needs beside a plain pass, for train's plan.
struct HookMemory {
  /// Tensors of the size of a micro-batch's embeddings that stand while a pass goes on.
  int64_t embeddings = 0;
  /// The weights' gradients of an earlier pass over the micro-batch stand then too.
  bool gradients_stand = false;
};

}  // namespace cupel::nn

// A function whose inner activations are not kept for the backward pass but computed again there.
#pragma once

#include <functional>

#include "nn/torch_nn.h"

namespace cupel::nn {

/// Called with the same x once or twice; `again` is true in the backward pass.
using RecomputedBody = std::function<at::Tensor(const at::Tensor& x, bool again)>;

/// body(x, false), of which only x is kept (Chen et al. 2016). In the backward pass `body` must do
/// the same again; gradients of the parameters it uses are added to their grad, unless
/// autograd::grad() asks for that of the inputs alone. x must require a gradient, or nothing inside
/// would get one.
at::Tensor recompute(const RecomputedBody& body, const at::Tensor& x);

}  // namespace cupel::nn

#include "nn/recompute_nn.h"

#include "base/error.h"
#include "nn/ops_parts_nn.h"

namespace cupel::nn {
namespace {

struct Recompute : torch::autograd::Function<Recompute> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const RecomputedBody& body) {
    at::Tensor result = body(x, false);
    context->save_for_backward({x});
    keep(context, body);
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const at::Tensor x = context->get_saved_variables()[0].detach().requires_grad_(true);
    at::AutoGradMode with_gradients(true);
    const at::Tensor result = kept<RecomputedBody>(context)(x, true);
    // Whoever asks for the gradient of the inputs alone (an attack) leaves those of weights as they
    // are; backward() adds to them.
    if (!torch::autograd::Engine::get_default_engine().is_checkpoint_valid())
      return {torch::autograd::grad({result}, {x}, {grads[0]})[0], {}};
    torch::autograd::backward({result}, {grads[0]});
    return {x.grad(), {}};
  }
};

}  // namespace

at::Tensor recompute(const RecomputedBody& body, const at::Tensor& x) {
  if (!at::GradMode::is_enabled()) return body(x, false);
  CUPEL_ASSERT(x.requires_grad());
  return Recompute::apply(x, body);
}

}  // namespace cupel::nn

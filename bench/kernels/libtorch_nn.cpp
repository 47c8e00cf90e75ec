// What LibTorch gives for the work of each kernel, one thread: a kernel that does not beat it has
// no place in the table. Backward passes go through its autograd, on a retained graph.
#include <functional>

#include "nn/torch_nn.h"
#include "shapes.h"

namespace cupel {
namespace {

at::Tensor normal(at::IntArrayRef shape, bool gradient = false) {
  return at::randn(shape).mul_(0.1).set_requires_grad(gradient);
}

void add(const std::string& name, const std::function<void(benchmark::State&)>& body) {
  benchmark::RegisterBenchmark((name + "/libtorch").c_str(), [body](benchmark::State& state) {
    at::set_num_threads(1);
    at::manual_seed(1);
    body(state);
  });
}

void gemm(benchmark::State& state, const Product& shape, Element type) {
  const auto [pass, m, n, k] = shape;
  const auto stored = type == Element::f32 ? at::kFloat : at::kBFloat16;
  const at::NoGradGuard no_grad;
  const auto matrix = [&](int64_t rows, int64_t cols, bool transposed) {
    return transposed ? normal({cols, rows}).to(stored).t() : normal({rows, cols}).to(stored);
  };
  const at::Tensor a = matrix(m, k, pass == Pass::grad_w), b = matrix(k, n, pass == Pass::forward);
  at::Tensor c = at::empty({m, n}, stored);
  for (auto _ : state) at::mm_out(c, a, b);
  set_flops(state, product_flops(shape));
}

/// Times `forward`, or the backward pass of its result with respect to `inputs`.
void layer(benchmark::State& state, bool backward, const std::vector<at::Tensor>& inputs,
           const std::function<at::Tensor()>& forward) {
  if (!backward) {
    const at::NoGradGuard no_grad;
    for (auto _ : state) benchmark::DoNotOptimize(forward());
    return;
  }
  const at::Tensor y = forward(), grad_y = at::ones_like(y);
  for (auto _ : state) torch::autograd::grad({y}, inputs, {grad_y}, /*retain_graph=*/true);
}

void attention(benchmark::State& state, bool backward) {
  const auto head = [](int64_t dim) { return normal({1, 1, kSizes.attention_length, dim}, true); };
  const at::Tensor q = head(kSizes.qk_dim), k = head(kSizes.qk_dim), v = head(kSizes.v_dim);
  layer(state, backward, {q, k, v}, [=] {
    return at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true, 0.14);
  });
  set_flops(state, attention_flops(backward));
}

void rms_norm(benchmark::State& state, bool backward) {
  const at::Tensor x = normal({kSizes.norm_rows, kSizes.norm_cols}, true),
                   weight = normal({kSizes.norm_cols}, true);
  layer(state, backward, {x, weight},
        [=] { return at::rms_norm(x, {kSizes.norm_cols}, weight, 1e-6); });
  set_elements(state, x.numel());
}

void swiglu(benchmark::State& state, bool backward) {
  const at::Tensor x = normal({kSizes.swiglu_rows, 2 * kSizes.swiglu_cols}, true);
  layer(state, backward, {x}, [=] {
    const auto halves = x.chunk(2, 1);
    return at::silu(halves[0]) * halves[1];
  });
  set_elements(state, x.numel() / 2);
}

/// Loss and gradient of the logits together, as the kernel does.
void cross_entropy(benchmark::State& state) {
  const at::Tensor logits = normal({kSizes.loss_rows, kSizes.vocabulary}, true),
                   labels = at::full({kSizes.loss_rows}, 7, at::kLong);
  for (auto _ : state) torch::autograd::grad({at::cross_entropy_loss(logits, labels)}, {logits});
  set_elements(state, logits.numel());
}

void adamw(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const at::Tensor parameter = normal({kSizes.parameters}), gradient = normal({kSizes.parameters}),
                   first = normal({kSizes.parameters}), second = normal({kSizes.parameters}).abs_(),
                   step = at::ones({});
  for (auto _ : state)
    at::_fused_adamw_({parameter}, {gradient}, {first}, {second}, {}, {step}, 1e-3, 0.9, 0.95, 0.1,
                      1e-8, false, false);
  set_elements(state, kSizes.parameters);
}

}  // namespace

void add_libtorch() {
  for (const Element type : {Element::f32, Element::bf16})
    for (const Product& shape : kProducts)
      add(product_name(shape, type), [=](auto& state) { gemm(state, shape, type); });
  for (const bool backward : {false, true}) {
    const std::string pass = backward ? "/backward" : "/forward";
    add("attention" + pass, [=](auto& state) { attention(state, backward); });
    add("rms_norm" + pass, [=](auto& state) { rms_norm(state, backward); });
    add("swiglu" + pass, [=](auto& state) { swiglu(state, backward); });
  }
  add("cross_entropy", cross_entropy);
  add("adamw", adamw);
}

}  // namespace cupel

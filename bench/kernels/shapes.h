// What every side of the kernel bench is measured on: the shapes of a small DeepSeek training step,
// and of a page of text.
#pragma once

#include <benchmark/benchmark.h>

#include <string>

#include "kernels/kernels.h"

namespace cupel {

/// Which operands lie transposed in memory: y = x·wᵀ, grad_x = grad·w, grad_w = gradᵀ·x.
enum class Pass { forward, grad_x, grad_w };
struct Product {
  Pass pass;
  int64_t m, n, k;
};

inline constexpr Product kProducts[] = {
    {Pass::forward, 2048, 96, 192},  {Pass::forward, 2048, 80, 192},
    {Pass::forward, 2048, 288, 96},  {Pass::forward, 2048, 384, 64},
    {Pass::forward, 2048, 192, 192}, {Pass::forward, 2048, 512, 192},
    {Pass::forward, 2048, 192, 512}, {Pass::forward, 2048, 2048, 192},
    {Pass::forward, 512, 128, 192},  {Pass::forward, 512, 192, 128},
    {Pass::grad_x, 2048, 192, 96},   {Pass::grad_x, 2048, 192, 192},
    {Pass::grad_x, 2048, 192, 2048}, {Pass::grad_x, 512, 192, 128},
    {Pass::grad_x, 512, 128, 192},   {Pass::grad_w, 96, 192, 2048},
    {Pass::grad_w, 192, 192, 2048},  {Pass::grad_w, 2048, 192, 2048},
    {Pass::grad_w, 128, 192, 512},   {Pass::grad_w, 192, 128, 512},
};
/// The linear layers of MiniLM, as its encoder calls them; LibTorch's dynamic form is not compared.
inline constexpr Product kInt8Products[] = {{Pass::forward, 96, 1152, 384},
                                            {Pass::forward, 1024, 384, 384},
                                            {Pass::forward, 96, 1536, 384},
                                            {Pass::forward, 96, 384, 1536}};
struct Sizes {
  int64_t attention_length = 256, qk_dim = 48, v_dim = 32;
  int64_t norm_rows = 256, norm_cols = 192;
  int64_t swiglu_rows = 64, swiglu_cols = 128;
  int64_t loss_rows = 16, vocabulary = 2048;
  int64_t parameters = 16384;
  int64_t topic_tokens = 400, topics = 112, topic_terms = 1000;
  int64_t minhash_hashes = 900, minhash_permutations = 125;
};
inline constexpr Sizes kSizes;

inline std::string product_name(const Product& shape, Element type) {
  const char* passes[] = {"forward", "grad_x", "grad_w"};
  return std::string(type == Element::f32 ? "gemm_f32/" : "gemm_bf16/") +
         passes[static_cast<int>(shape.pass)] + "_" + std::to_string(shape.m) + "x" +
         std::to_string(shape.n) + "x" + std::to_string(shape.k);
}

inline void set_elements(benchmark::State& state, int64_t elements) {
  state.counters["elements/s"] = benchmark::Counter(static_cast<double>(elements),
                                                    benchmark::Counter::kIsIterationInvariantRate);
}
/// Also the share of --peak, where that is given.
void set_flops(benchmark::State& state, double flops);
inline double product_flops(const Product& shape) {
  return 2.0 * static_cast<double>(shape.m * shape.n * shape.k);
}
inline double attention_flops(bool backward) {
  const int64_t length = kSizes.attention_length, qk = kSizes.qk_dim, v = kSizes.v_dim;
  return static_cast<double>(length * (length + 1) * (backward ? 3 * qk + 2 * v : qk + v));
}

/// Registers what LibTorch gives for the same work on one thread, as "<name>/libtorch".
void add_libtorch();

}  // namespace cupel

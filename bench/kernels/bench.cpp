// Speed of every kernel row, and of LibTorch, on the shapes of a small DeepSeek training step, one
// thread.
// bench_kernels [--peak=GFLOPS] [--benchmark_filter=REGEX …]; bench/fma_peak.c prints the peak.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/dispatch.h"
#include "shapes.h"

namespace cupel {
namespace {

double peak_gflops = 0;

/// Small normal numbers on a cache line's boundary, as f32 or rounded to bf16.
class Array {
 public:
  explicit Array(int64_t size, Element type = Element::f32)
      : lines_(static_cast<size_t>(size / 16 + 2)) {
    std::mt19937 generator(static_cast<uint32_t>(size));
    std::normal_distribution<float> normal(0, 0.1f);
    std::vector<float> values(static_cast<size_t>(size));
    for (float& value : values) value = normal(generator);
    if (type == Element::f32) {
      std::memcpy(lines_.data(), values.data(), values.size() * sizeof(float));
    } else {
      kernels().to_16bit(values.data(), lines_.data(), type, size);
    }
  }
  float* f32() { return lines_[0].floats; }
  void* data() { return lines_.data(); }

 private:
  struct alignas(64) Line {
    float floats[16];
  };
  std::vector<Line> lines_;
};

}  // namespace

void set_flops(benchmark::State& state, double flops) {
  using benchmark::Counter;
  const auto rate = Counter::kIsIterationInvariantRate;
  state.counters["GFLOP/s"] = Counter(flops / 1e9, rate);
  if (peak_gflops > 0) state.counters["peak"] = Counter(flops / 1e9 / peak_gflops, rate);
}

namespace {

void gemm(benchmark::State& state, const Kernels& row, const Product& shape, Element type) {
  const auto [pass, m, n, k] = shape;
  Array a(m * k, type), b(k * n, type), c(m * n, type),
      workspace(gemm_workspace_bytes() / static_cast<int64_t>(sizeof(float)));
  GemmArgs args = {m, n, k, a.data(), k, 1, type, b.data(), n, 1, type, c.data(), n, type, false};
  if (pass == Pass::forward) args.b_row_stride = 1, args.b_col_stride = k;
  if (pass == Pass::grad_w) args.a_row_stride = 1, args.a_col_stride = m;
  for (auto _ : state) {
    row.gemm(args, workspace.data());
    benchmark::ClobberMemory();
  }
  set_flops(state, product_flops(shape));
}

/// Quantising the left operand counts too: every product of the encoder has it before it.
void gemm_int8(benchmark::State& state, const Kernels& row, const Product& shape) {
  const auto [pass, m, n, k] = shape;
  const int64_t row_bytes = int8_row_bytes(k);
  Array x(m * k), transposed(n * k), c(m * n), a((m + 15) / 16 * 16 * row_bytes / 4),
      panels(int8_panel_bytes(n, k) / 4);
  std::vector<int32_t> sums(static_cast<size_t>(int8_groups(k) * int8_cols(n))),
      a_zero(static_cast<size_t>(m * int8_groups(k)));
  std::vector<float> scales(sums.size()), a_scale(a_zero.size());
  pack_int8(transposed.f32(), n, k, static_cast<int8_t*>(panels.data()), sums.data(),
            scales.data());
  const Int8GemmArgs args = {m,
                             n,
                             k,
                             static_cast<uint8_t*>(a.data()),
                             row_bytes,
                             a_scale.data(),
                             a_zero.data(),
                             {static_cast<int8_t*>(panels.data()), sums.data(), scales.data()},
                             c.f32(),
                             n,
                             false};
  for (auto _ : state) {
    row.quantize_rows(x.f32(), k, static_cast<uint8_t*>(a.data()), row_bytes, a_scale.data(),
                      a_zero.data(), m, k);
    row.gemm_int8(args);
    benchmark::ClobberMemory();
  }
  set_flops(state, product_flops(shape));
}

void attention(benchmark::State& state, const Kernels& row, bool backward) {
  const int64_t length = kSizes.attention_length, qk = kSizes.qk_dim, v = kSizes.v_dim;
  Array q(length * qk), k(length * qk), value(length * v), out(length * v), lse(length),
      grad_out(length * v), grad_q(length * qk), grad_k(length * qk), grad_v(length * v),
      workspace(attention_workspace_bytes(length, qk, v) / 4);
  const AttentionArgs args = {length,       qk,           v,           q.f32(),   k.f32(),
                              value.f32(),  qk,           qk,          v,         nullptr,
                              0.14f,        out.f32(),    v,           lse.f32(), grad_out.f32(),
                              grad_q.f32(), grad_k.f32(), grad_v.f32()};
  row.attention(args, workspace.data());
  for (auto _ : state) {
    (backward ? row.attention_backward : row.attention)(args, workspace.data());
    benchmark::ClobberMemory();
  }
  set_flops(state, attention_flops(backward));
}

void rms_norm(benchmark::State& state, const Kernels& row, bool backward) {
  const int64_t rows = kSizes.norm_rows, cols = kSizes.norm_cols;
  Array x(rows * cols), y(rows * cols), weight(cols), rms(rows), grad_x(rows * cols),
      grad_weight(cols);
  for (auto _ : state) {
    if (backward) {
      row.rms_norm_backward(x.f32(), cols, weight.f32(), rms.f32(), y.f32(), grad_x.f32(),
                            grad_weight.f32(), rows, cols);
    } else {
      row.rms_norm(x.f32(), cols, weight.f32(), 1e-6f, y.f32(), rms.f32(), rows, cols);
    }
    benchmark::ClobberMemory();
  }
  set_elements(state, rows * cols);
}

void swiglu(benchmark::State& state, const Kernels& row, bool backward) {
  const int64_t rows = kSizes.swiglu_rows, cols = kSizes.swiglu_cols;
  Array x(2 * rows * cols), y(rows * cols), grad_x(2 * rows * cols);
  for (auto _ : state) {
    if (backward) {
      row.swiglu_backward(x.f32(), y.f32(), grad_x.f32(), rows, cols);
    } else {
      row.swiglu(x.f32(), y.f32(), rows, cols);
    }
    benchmark::ClobberMemory();
  }
  set_elements(state, rows * cols);
}

/// The logits are made anew in each round, for the kernel overwrites them.
void cross_entropy(benchmark::State& state, const Kernels& row) {
  const int64_t rows = kSizes.loss_rows, cols = kSizes.vocabulary;
  Array source(rows * cols), logits(rows * cols), loss(rows);
  const std::vector<int64_t> labels(static_cast<size_t>(rows), 7);
  for (auto _ : state) {
    std::memcpy(logits.f32(), source.f32(), static_cast<size_t>(rows * cols) * sizeof(float));
    row.cross_entropy(logits.f32(), labels.data(), 1e-3f, loss.f32(), rows, cols);
    benchmark::ClobberMemory();
  }
  set_elements(state, rows * cols);
}

void adamw(benchmark::State& state, const Kernels& row) {
  const int64_t size = kSizes.parameters;
  Array parameter(size), gradient(size), first(size), second(size);
  for (int64_t i = 0; i < size; ++i) second.f32()[i] = std::abs(second.f32()[i]);
  const AdamWArgs args = {size,
                          parameter.f32(),
                          gradient.f32(),
                          first.f32(),
                          second.f32(),
                          1.0f,
                          1e-3,
                          0.9,
                          0.95,
                          1e-8,
                          0.1,
                          0.5,
                          0.5};
  for (auto _ : state) {
    row.adamw(args);
    benchmark::ClobberMemory();
  }
  set_elements(state, size);
}

/// Draws a second; each round goes on from the topics that the last one drew.
void topic_sweep(benchmark::State& state, const Kernels& row) {
  const int64_t tokens = kSizes.topic_tokens, topics = kSizes.topics, terms = kSizes.topic_terms;
  std::mt19937 generator(1);
  std::vector<float> term_topic(static_cast<size_t>(terms * topics));
  for (float& value : term_topic) value = generator() % 16 == 0 ? 1e-3f : 1e-5f;
  const std::vector<float> alpha(static_cast<size_t>(topics), 0.1f), own(alpha.size(), 1e-6f);
  std::vector<int32_t> ids(static_cast<size_t>(tokens));
  std::vector<uint32_t> random(ids.size());
  for (int32_t& id : ids) id = static_cast<int32_t>(generator() % static_cast<uint32_t>(terms));
  for (uint32_t& bits : random) bits = static_cast<uint32_t>(generator());
  std::vector<uint16_t> drawn(ids.size());
  const int64_t first[] = {0, tokens / 2, tokens};
  for (auto _ : state) {
    row.topic_sweep({2, first, ids.data(), drawn.data(), random.data(), topics, term_topic.data(),
                     alpha.data(), own.data()});
    benchmark::ClobberMemory();
  }
  set_elements(state, tokens);
}

/// One permutation of one hash is an element. LibTorch has nothing like it.
void minhash(benchmark::State& state, const Kernels& row) {
  const int64_t size = kSizes.minhash_hashes, count = kSizes.minhash_permutations;
  std::mt19937_64 generator(1);
  const auto words = [&](int64_t n) {
    std::vector<uint64_t> made(static_cast<size_t>(n));
    for (uint64_t& word : made) word = generator();
    return made;
  };
  const std::vector<uint64_t> hashes = words(size), factors = words(count), offsets = words(count);
  std::vector<uint32_t> minima(static_cast<size_t>(count));
  for (auto _ : state) {
    row.minhash(hashes.data(), size, factors.data(), offsets.data(), minima.data(), count);
    benchmark::ClobberMemory();
  }
  set_elements(state, size * count);
}

/// body(state, row) under "name/row".
template <class Body>
void add(const std::string& name, const Kernels& row, Body body) {
  benchmark::RegisterBenchmark((name + "/" + row.name).c_str(),
                               [&row, body](benchmark::State& state) { body(state, row); });
}

void add_gemm(const Product& shape, Element type) {
  const std::string name = product_name(shape, type);
  for (const Kernels& row : available_rows()) {
    if (std::string_view(row.name) == "scalar") continue;
    add(name, row, [shape, type](auto& state, auto& on) { gemm(state, on, shape, type); });
  }
}

void add_gemm_int8(const Product& shape) {
  for (const Kernels& row : available_rows()) {
    if (std::string_view(row.name) == "scalar") continue;
    add("gemm_int8/" + std::to_string(shape.m) + "x" + std::to_string(shape.n) + "x" +
            std::to_string(shape.k),
        row, [shape](auto& state, auto& on) { gemm_int8(state, on, shape); });
  }
}

void add_all() {
  for (const Product& shape : kInt8Products) add_gemm_int8(shape);
  for (const Element type : {Element::f32, Element::bf16})
    for (const Product& shape : kProducts) add_gemm(shape, type);
  for (const Kernels& row : available_rows()) {
    for (const bool backward : {false, true}) {
      const std::string pass = backward ? "/backward" : "/forward";
      add("attention" + pass, row, [=](auto& s, auto& on) { attention(s, on, backward); });
      add("rms_norm" + pass, row, [=](auto& s, auto& on) { rms_norm(s, on, backward); });
      add("swiglu" + pass, row, [=](auto& s, auto& on) { swiglu(s, on, backward); });
    }
    add("cross_entropy", row, [](auto& s, auto& on) { cross_entropy(s, on); });
    add("adamw", row, [](auto& s, auto& on) { adamw(s, on); });
    add("topic_sweep", row, [](auto& s, auto& on) { topic_sweep(s, on); });
    add("minhash", row, [](auto& s, auto& on) { minhash(s, on); });
  }
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]).substr(0, 7) != "--peak=") continue;
    cupel::peak_gflops = std::atof(argv[i] + 7);
    std::swap(argv[i], argv[--argc]);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  cupel::add_all();
  cupel::add_libtorch();
  benchmark::RunSpecifiedBenchmarks();
}

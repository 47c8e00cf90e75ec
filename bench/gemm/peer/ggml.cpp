// llama.cpp's side of the gemm bench: ggml's own product of a weight of a given type with fp32
// activations, the weight in the buffer type that ggml repacks for this CPU where it has one.
// ggml_peer --m M --n N --k K --threads T --type NAME --weights W; protocol in ../README.md.
#include "ggml.h"

#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpu.h"

namespace {

ggml_type type_of(const std::string& name) {
  for (int i = 0; i < GGML_TYPE_COUNT; ++i) {
    const char* known = ggml_type_name(static_cast<ggml_type>(i));
    if (known != nullptr && name == known) return static_cast<ggml_type>(i);
  }
  std::cerr << "unknown type " << name << std::endl;
  exit(1);
}

std::vector<float> normals(int64_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

/// Whether the CPU backend multiplies by a weight that lies in a buffer of that type.
bool takes(ggml_backend_dev_t device, ggml_backend_buffer_type_t type, ggml_tensor* weight,
           ggml_tensor* product) {
  ggml_backend_buffer_t probe = ggml_backend_buft_alloc_buffer(type, 0);
  weight->buffer = probe;
  const bool can = ggml_backend_dev_supports_op(device, product);
  weight->buffer = nullptr;
  ggml_backend_buffer_free(probe);
  return can;
}

/// Of the CPU's own, the one that it repacks weights for, where there is one.
ggml_backend_buffer_type_t best_buffer(ggml_backend_t backend, ggml_tensor* weight,
                                       ggml_tensor* product) {
  ggml_backend_dev_t device = ggml_backend_get_device(backend);
  auto extra =
      reinterpret_cast<ggml_backend_dev_get_extra_bufts_t>(ggml_backend_reg_get_proc_address(
          ggml_backend_dev_backend_reg(device), "ggml_backend_dev_get_extra_bufts"));
  for (ggml_backend_buffer_type_t* each = extra ? extra(device) : nullptr; each && *each; ++each)
    if (takes(device, *each, weight, product)) return *each;
  return ggml_backend_cpu_buffer_type();
}

/// Answers "round STEPS"; each step computes the next graph.
void serve(ggml_backend_t backend, const std::vector<ggml_cgraph*>& graphs, double teraops) {
  size_t next = 0;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string word;
    int64_t steps = 1;
    words >> word >> steps;
    const auto begin = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < steps; ++i) {
      next = (next + 1) % graphs.size();
      if (ggml_backend_graph_compute(backend, graphs[next]) != GGML_STATUS_SUCCESS) exit(1);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "{\"seconds\": " << took.count()
              << ", \"teraops\": " << teraops * static_cast<double>(steps) << "}" << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int i = 1; i + 1 < argc; i += 2) options[argv[i]] = argv[i + 1];
  const int64_t m = std::stoll(options["--m"]), n = std::stoll(options["--n"]),
                k = std::stoll(options["--k"]);
  const int threads = std::stoi(options["--threads"]);
  const size_t weights = std::stoul(options["--weights"]);
  const ggml_type type = type_of(options["--type"]);

  ggml_backend_t backend = ggml_backend_cpu_init();
  ggml_threadpool_params params = ggml_threadpool_params_default(threads);
  ggml_backend_cpu_set_n_threads(backend, threads);
  ggml_backend_cpu_set_threadpool(backend, ggml_threadpool_new(&params));

  ggml_context* context = ggml_init({size_t{16} << 20, nullptr, true});
  ggml_tensor* x = ggml_new_tensor_2d(context, GGML_TYPE_F32, k, m);
  std::vector<ggml_tensor*> each_weight, products;
  for (size_t i = 0; i < weights; ++i) {
    each_weight.push_back(ggml_new_tensor_2d(context, type, k, n));
    products.push_back(ggml_mul_mat(context, each_weight[i], x));
  }
  ggml_tensor *weight = each_weight[0], *product = products[0];

  ggml_backend_buffer_type_t chosen = best_buffer(backend, weight, product);
  for (ggml_tensor* one : each_weight) {
    ggml_backend_buffer_t of_weight =
        ggml_backend_buft_alloc_buffer(chosen, ggml_backend_buft_get_alloc_size(chosen, one));
    ggml_backend_tensor_alloc(of_weight, one, ggml_backend_buffer_get_base(of_weight));
  }
  ggml_backend_alloc_ctx_tensors(context, backend);

  const std::vector<float> values = normals(n * k, 1), activations = normals(m * k, 2);
  std::vector<uint8_t> quantised(ggml_row_size(type, k) * static_cast<size_t>(n));
  const std::vector<float> importance(static_cast<size_t>(k), 1.0f);
  ggml_quantize_chunk(type, values.data(), quantised.data(), 0, n, k, importance.data());
  for (ggml_tensor* one : each_weight)
    ggml_backend_tensor_set(one, quantised.data(), 0, quantised.size());
  ggml_backend_tensor_set(x, activations.data(), 0, activations.size() * sizeof(float));
  std::vector<ggml_cgraph*> graphs;
  for (ggml_tensor* one : products) {
    graphs.push_back(ggml_new_graph_custom(context, 8, false));
    ggml_build_forward_expand(graphs.back(), one);
  }

  std::cout << "{\"version\": \"ggml " << ggml_version() << "\", \"type\": \""
            << ggml_type_name(type) << "\", \"buffer\": \"" << ggml_backend_buft_name(chosen)
            << "\"}" << std::endl;
  serve(backend, graphs, 2e-12 * static_cast<double>(m * n * k));
  return 0;
}

#include "nn/device_nn.h"

#include <c10/core/CachingDeviceAllocator.h>
#include <torch/csrc/api/include/torch/version.h>

#include <algorithm>
#include <exception>

#include "nn/torch_nn.h"

namespace cupel::nn {
namespace {

const at::CUDAHooksInterface& cuda() { return at::detail::getCUDAHooks(); }

c10::DeviceIndex index_of(int64_t local_rank) {
  return static_cast<c10::DeviceIndex>(local_rank % std::max(1, cuda().getNumGPUs()));
}

c10::DeviceAllocator& gpu_memory() { return *c10::getDeviceAllocator(c10::DeviceType::CUDA); }

/// Why the GPU cannot be used; empty: it can.
std::string problem_of_gpu(int64_t local_rank) {
  if (!cuda().isBuilt()) return "this build is for the CPU; the gpu preset builds for both";
  if (!cuda().isAvailable()) return "no CUDA GPU was found: see that nvidia-smi lists one";
  try {
    const at::Device gpu(at::kCUDA, index_of(local_rank));
    const at::Tensor ones = at::ones({16, 16}, at::TensorOptions(gpu).dtype(at::kFloat));
    if (at::matmul(ones, ones).sum().item<float>() == 16 * 16 * 16) return {};
    return "a product on the GPU came out wrong";
  } catch (const std::exception& error) {
    const std::string_view text = error.what();
    return "the GPU failed a first product: " + std::string(text.substr(0, text.find('\n')));
  }
}

}  // namespace

void use_threads(int threads) { at::set_num_threads(threads); }

std::string libtorch_version() { return TORCH_VERSION; }

DeviceReport choose_device(DeviceKind requested, int64_t local_rank) {
  if (requested == DeviceKind::cpu) return {requested, DeviceKind::cpu, "as asked"};
  const std::string problem = problem_of_gpu(local_rank);
  if (!problem.empty()) return {requested, DeviceKind::cpu, problem};
  return {requested, DeviceKind::cuda, "a CUDA GPU is there"};
}

void use_gpu(int64_t local_rank, bool tf32) {
  c10::impl::VirtualGuardImpl(at::kCUDA).setDevice({at::kCUDA, index_of(local_rank)});
  at::globalContext().setFloat32MatmulPrecision(tf32 ? "high" : "highest");
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
}

int64_t free_gpu_bytes(int64_t local_rank) {
  return static_cast<int64_t>(gpu_memory().getMemoryInfo(index_of(local_rank)).first);
}

int64_t peak_gpu_bytes(int64_t local_rank) {
  return gpu_memory().getDeviceStats(index_of(local_rank)).allocated_bytes[0].peak;
}

void reset_peak_gpu_bytes(int64_t local_rank) { gpu_memory().resetPeakStats(index_of(local_rank)); }

}  // namespace cupel::nn

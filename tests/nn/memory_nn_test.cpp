#include "nn/memory_nn.h"

#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>

#include "nn/torch_nn.h"

namespace cupel::nn {
namespace {

TEST(TensorMemory, CountsWhatLivesAndItsPeak) {
  count_tensor_bytes();
  count_tensor_bytes();  // once is enough, twice no harm
  const int64_t before = live_tensor_bytes();
  {
    const at::Tensor kept = at::empty({1000}, at::kFloat);
    EXPECT_EQ(live_tensor_bytes() - before, 4000);
    reset_peak_tensor_bytes();
    { const at::Tensor passing = at::empty({500}, at::kDouble); }
    EXPECT_EQ(live_tensor_bytes() - before, 4000);
    EXPECT_EQ(peak_tensor_bytes() - before, 8000);
  }
  EXPECT_EQ(live_tensor_bytes(), before);
}

TEST(TensorMemory, CountsATensorThatAnotherThreadFrees) {
  count_tensor_bytes();
  const int64_t before = live_tensor_bytes();
  at::Tensor tensor = at::ones({64}, at::kFloat);
  std::thread([moved = std::move(tensor)]() mutable { moved.reset(); }).join();
  EXPECT_EQ(live_tensor_bytes(), before);
}

TEST(TensorMemory, CountsBlocksThatAreKnownByTheirAddressAlone) {
  count_tensor_bytes();
  const int64_t before = live_tensor_bytes();
  c10::Allocator& allocator = *c10::GetCPUAllocator();
  void* block = allocator.raw_allocate(100);
  EXPECT_EQ(live_tensor_bytes() - before, 100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % c10::gAlignment, 0u);
  allocator.raw_deallocate(block);
  EXPECT_EQ(live_tensor_bytes(), before);
  EXPECT_EQ(allocator.allocate(0).get(), nullptr);
  // An operation that oneDNN computes.
  EXPECT_NEAR(at::gelu(at::ones({1 << 16}, at::kFloat)).mean().item<double>(), 0.8413447, 1e-6);
  EXPECT_EQ(live_tensor_bytes(), before);
}

TEST(TensorMemory, KeepsWorkingAfterFreedMemoryIsKept) {
  keep_freed_memory();
  const at::Tensor large = at::ones({1 << 20}, at::kFloat);
  EXPECT_EQ(large.sum().item<float>(), 1 << 20);
}

}  // namespace
}  // namespace cupel::nn

#include "nn/memory_nn.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <atomic>
#include <memory>

#include "nn/torch_nn.h"

namespace cupel::nn {
namespace {

std::atomic<int64_t> live{0}, peak{0};

void add(int64_t bytes) {
  const int64_t now = live.fetch_add(bytes) + bytes;
  int64_t before = peak.load();
  while (now > before && !peak.compare_exchange_weak(before, now)) {
  }
}

/// LibTorch's own allocator, counted.
class CountingAllocator : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* inner) : inner_(inner) {}

  c10::DataPtr allocate(std::size_t bytes) override {
    auto block = std::make_unique<Block>(inner_->allocate(bytes), static_cast<int64_t>(bytes));
    add(block->bytes);
    void* data = block->data.get();
    const c10::Device device = block->data.device();
    return {data, block.release(), &release, device};
  }

  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  struct Block {
    Block(c10::DataPtr d, int64_t b) : data(std::move(d)), bytes(b) {}
    c10::DataPtr data;
    int64_t bytes;
  };

  static void release(void* context) {
    const std::unique_ptr<Block> block(static_cast<Block*>(context));
    live.fetch_sub(block->bytes);
  }

  c10::Allocator* inner_;
};

}  // namespace

void count_tensor_bytes() {
  static CountingAllocator allocator(c10::GetCPUAllocator());
  constexpr uint8_t kAboveTheDefault = 1;
  [[maybe_unused]] static const bool once = [] {
    c10::SetCPUAllocator(&allocator, kAboveTheDefault);
    return true;
  }();
}

int64_t live_tensor_bytes() { return live; }
int64_t peak_tensor_bytes() { return peak; }
void reset_peak_tensor_bytes() { peak = live.load(); }

void keep_freed_memory() {
  constexpr int kLargest = 1 << 30;
  mallopt(M_MMAP_THRESHOLD, kLargest);
  mallopt(M_TRIM_THRESHOLD, kLargest);
  mallopt(M_TOP_PAD, 64 << 20);
}

}  // namespace cupel::nn

#include "nn/memory_nn.h"

#include <c10/core/CPUAllocator.h>
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstring>

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

/// LibTorch's own allocator, counted. A block is known by its address alone, as oneDNN's operations
/// ask (raw_allocate), so its size stands before it.
class CountingAllocator : public c10::Allocator {
 public:
  explicit CountingAllocator(c10::Allocator* inner) { inner_ = inner; }

  c10::DataPtr allocate(std::size_t bytes) override {
    if (bytes == 0) return inner_->allocate(0);
    auto* begin = static_cast<std::byte*>(inner_->raw_allocate(bytes + kHeader));
    void* data = begin + kHeader;
    const Header header{static_cast<int64_t>(bytes), mark_of(data)};
    std::memcpy(begin, &header, sizeof header);
    add(header.bytes);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

  void copy_data(void* to, const void* from, std::size_t bytes) const override {
    default_copy_data(to, from, bytes);
  }

 private:
  static constexpr std::size_t kHeader = c10::gAlignment;  // blocks stay aligned

  struct Header {
    int64_t bytes;
    uint64_t mark;
  };
  static uint64_t mark_of(const void* data) {
    return reinterpret_cast<uintptr_t>(data) ^ UINT64_C(0x9e3779b97f4a7c15);
  }

  /// A block from before counting began has no mark.
  static void release(void* data) {
    if (data == nullptr) return;
    std::byte* begin = static_cast<std::byte*>(data) - kHeader;
    Header header;
    std::memcpy(&header, begin, sizeof header);
    if (header.mark != mark_of(data)) return inner_->raw_deallocate(data);
    live.fetch_sub(header.bytes);
    inner_->raw_deallocate(begin);
  }

  static inline c10::Allocator* inner_ = nullptr;
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

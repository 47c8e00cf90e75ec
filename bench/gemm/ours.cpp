// Our side of the gemm bench: a product of 8-bit activations with 4-bit weights, fp32 in and out.
// Speaks the protocol of README.md.
#include <algorithm>
#include <cstring>
#include <new>
#include <vector>

#include "../requests.h"
#include "base/error.h"
#include "base/json.h"
#include "base/parallel.h"
#include "base/rng.h"
#include "kernels/kernels.h"

namespace cupel {
namespace {

struct Shape {
  int64_t m, n, k, group;
  int64_t weights;  // that are multiplied in turn
};

std::size_t count(int64_t n) { return static_cast<std::size_t>(n); }

class Product {
 public:
  Product(const Shape& shape, int threads)
      : shape_(shape),
        pool_(threads),
        codes_(static_cast<uint8_t*>(::operator new (
            count(shape.weights* cb4_code_bytes(shape.n, shape.k)), std::align_val_t{kAlignment}))),
        scales_(count(shape.weights * cb4_scales(shape.n, shape.k, shape.group))),
        x_(count(shape.m * shape.k)),
        y_(count(shape.m * shape.n)),
        a_(count(shape.m * stride())),
        a_scale_(count(shape.m * shape.k / shape.group)),
        a_offset_(count(shape.m * shape.k / shape.group)) {
    Rng rng(1, "bench gemm");
    std::vector<uint8_t> blocks(count(shape.n * shape.k / kCb4Block * kCb4BlockBytes));
    for (uint8_t& byte : blocks) byte = static_cast<uint8_t>(rng.below(256));
    for (std::size_t i = 0; i < blocks.size(); i += count(kCb4BlockBytes)) {
      const uint16_t scale = 0x1c00;  // 2^-8
      std::memcpy(&blocks[i], &scale, sizeof scale);
    }
    for (int64_t i = 0; i < shape.weights; ++i)
      pack_cb4(blocks.data(), shape.n, shape.k, shape.group, codes_of(i), scales_of(i));
    for (float& value : x_) value = static_cast<float>(rng.normal());
  }
  ~Product() { ::operator delete (codes_, std::align_val_t{kAlignment}); }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  void run() {
    const auto [m, n, k, group, weights] = shape_;
    next_ = (next_ + 1) % weights;
    const Cb4GemmArgs whole = {m,
                               n,
                               k,
                               a_.data(),
                               stride(),
                               a_scale_.data(),
                               a_offset_.data(),
                               {codes_of(next_), scales_of(next_), group},
                               y_.data(),
                               n};
    const int64_t threads = pool_.size();
    pool_.parallel_for(m, (m + threads - 1) / threads, [&](int64_t begin, int64_t end) {
      kernels().quantize_signed(&x_[count(begin * whole.k)], whole.k, &a_[count(begin * stride())],
                                stride(), &a_scale_[count(begin * whole.k / whole.b.group)],
                                &a_offset_[count(begin * whole.k / whole.b.group)], whole.b.group,
                                end - begin, whole.k);
    });
    const int64_t share = (whole.n / threads + kPanels - 1) / kPanels * kPanels;
    pool_.parallel_for(whole.n, share, [&](int64_t begin, int64_t end) {
      Cb4GemmArgs part = whole;
      part.n = end - begin;
      part.b.codes += cb4_code_bytes(begin, whole.k);
      part.b.scales += cb4_scales(begin, whole.k, whole.b.group);
      part.c += begin;
      kernels().gemm_cb4(part);
    });
  }

 private:
  static constexpr std::size_t kAlignment = std::size_t{2} << 20;  // a huge page
  static constexpr int64_t kPanels = 64;                           // columns that stay together
  uint8_t* codes_of(int64_t weight) const {
    return codes_ + weight * cb4_code_bytes(shape_.n, shape_.k);
  }
  uint16_t* scales_of(int64_t weight) {
    return scales_.data() + weight * cb4_scales(shape_.n, shape_.k, shape_.group);
  }
  /// Rows of A an odd number of cache lines apart spread over all sets of L1.
  int64_t stride() const { return shape_.k + 64; }

  Shape shape_;
  ThreadPool pool_;
  uint8_t* codes_;
  int64_t next_ = 0;
  std::vector<uint16_t> scales_;
  std::vector<float> x_, y_;
  std::vector<int8_t> a_;
  std::vector<float> a_scale_;
  std::vector<int32_t> a_offset_;
};

void serve(const Options& options) {
  const auto number = [&](const char* name) { return std::stoll(options.at(name)); };
  const Shape shape = {number("--m"), number("--n"), number("--k"), number("--group"),
                       number("--weights")};
  Product product(shape, static_cast<int>(number("--threads")));
  const json::Object hello{{"version", "cupel"}, {"isa_row", kernels().name}};
  answer_requests(hello, [&](const std::string& word, int64_t steps) -> json::Value {
    if (word != "round") fail(ErrorKind::config, word, "unknown request", "known: round STEPS");
    const double operations = 2.0 * static_cast<double>(steps * shape.m * shape.n * shape.k);
    const double bytes = static_cast<double>(
        steps * (cb4_code_bytes(shape.n, shape.k) + 2 * cb4_scales(shape.n, shape.k, shape.group)));
    return json::Object{{"seconds", seconds_of(steps, [&] { product.run(); })},
                        {"teraops", operations / 1e12},
                        {"gigabytes", bytes / 1e9}};
  });
}

}  // namespace
}  // namespace cupel

int main(int argc, char** argv) { return cupel::run_program(argc, argv, cupel::serve); }

#include "nn/llm/tensor_source.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"
#include "data/gguf_types.h"
#include "data/safetensors.h"

namespace cupel::llm {
namespace {

constexpr int64_t kScaleBlock = 128;
constexpr int64_t kMostExperts = 100'000;
constexpr std::string_view kScaleSuffix = "_scale_inv";

/// sign, 4 bits of exponent with bias 7, 3 of fraction; no infinities, all ones is NaN (OCP 8-bit
/// floating point, E4M3).
std::array<float, 256> make_e4m3() {
  std::array<float, 256> values{};
  for (int bits = 0; bits < 256; ++bits) {
    const int exponent = bits >> 3 & 15, fraction = bits & 7;
    float value = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -9)
                                : std::ldexp(static_cast<float>(8 + fraction), exponent - 10);
    if (exponent == 15 && fraction == 7) value = std::nanf("");
    values[static_cast<std::size_t>(bits)] = bits >> 7 ? -value : value;
  }
  return values;
}

const std::array<float, 256>& e4m3() {
  static const std::array<float, 256> values = make_e4m3();
  return values;
}

/// `count` numbers from `data`, which need not be aligned.
void read_numbers(Dtype dtype, const std::byte* data, int64_t count, float* out) {
  if (dtype == Dtype::f32) return dequantise(GgufType::f32, data, count, out);
  if (dtype == Dtype::f16) return dequantise(GgufType::f16, data, count, out);
  if (dtype == Dtype::bf16) return dequantise(GgufType::bf16, data, count, out);
  CUPEL_ASSERT(dtype == Dtype::f64);
  for (int64_t i = 0; i < count; ++i) {
    double value = 0;
    std::memcpy(&value, data + i * static_cast<int64_t>(sizeof value), sizeof value);
    out[i] = static_cast<float>(value);
  }
}

bool is_plain(Dtype dtype) {
  return dtype == Dtype::f32 || dtype == Dtype::f16 || dtype == Dtype::bf16 || dtype == Dtype::f64;
}

using Files = std::shared_ptr<const Safetensors>;

SourceTensor plain_tensor(const Files& files, const TensorEntry& entry) {
  SourceTensor tensor{entry.name, entry.shape, "", nullptr};
  const int64_t width = extent_of(entry.shape).width, size = dtype_bytes(entry.dtype);
  tensor.read = [files, &entry, width, size](int64_t begin, int64_t end, float* out) {
    read_numbers(entry.dtype, entry.data + begin * width * size, (end - begin) * width, out);
  };
  return tensor;
}

/// value = e4m3(code) * scale of its block
SourceTensor scaled_tensor(const Files& files, const TensorEntry& entry,
                           const TensorEntry* scales) {
  SourceTensor tensor{entry.name, entry.shape, "", nullptr};
  const Extent extent = extent_of(entry.shape);
  const int64_t across = (extent.width + kScaleBlock - 1) / kScaleBlock;
  const std::vector<int64_t> wanted{(extent.rows + kScaleBlock - 1) / kScaleBlock, across};
  if (entry.shape.size() != 2 || scales == nullptr || scales->dtype != Dtype::f32 ||
      scales->shape != wanted) {
    tensor.problem = "F8_E4M3 without F32 factors of its 128 x 128 blocks in " +
                     clip(entry.name, 200) + std::string(kScaleSuffix);
    return tensor;
  }
  tensor.read = [files, &entry, scales, extent, across](int64_t begin, int64_t end, float* out) {
    std::vector<float> factors(static_cast<std::size_t>(across));
    for (int64_t row = begin; row < end; ++row, out += extent.width) {
      std::memcpy(factors.data(),
                  scales->data + row / kScaleBlock * across * static_cast<int64_t>(sizeof(float)),
                  factors.size() * sizeof(float));
      const auto* codes = reinterpret_cast<const uint8_t*>(entry.data) + row * extent.width;
      for (int64_t i = 0; i < extent.width; ++i)
        out[i] = e4m3()[codes[i]] * factors[static_cast<std::size_t>(i / kScaleBlock)];
    }
  };
  return tensor;
}

/// Rows [first, first + rows) of `whole` as a matrix of their own.
SourceTensor slice(const SourceTensor& whole, std::string name, int64_t first, int64_t rows) {
  SourceTensor part{std::move(name), {rows, whole.shape.back()}, whole.problem, nullptr};
  if (!whole.read) return part;
  part.read = [read = whole.read, first](int64_t begin, int64_t end, float* out) {
    read(first + begin, first + end, out);
  };
  return part;
}

/// experts.gate_up_proj [n, 2 * inner, width] → experts.<i>.gate_proj.weight and .up_proj.weight;
/// experts.down_proj [n, width, inner] → experts.<i>.down_proj.weight
void add_tensor(SourceTensor tensor, std::vector<SourceTensor>& tensors) {
  const bool gate_up = tensor.name.ends_with(".experts.gate_up_proj");
  const bool named = gate_up || tensor.name.ends_with(".experts.down_proj");
  const auto& shape = tensor.shape;
  const bool fused = named && shape.size() == 3 && shape[0] <= kMostExperts && shape[1] > 0;
  if (!fused || (gate_up && shape[1] % 2 != 0)) {
    tensors.push_back(std::move(tensor));
    return;
  }
  const std::string prefix = tensor.name.substr(0, tensor.name.rfind('.') + 1);
  const int64_t rows = gate_up ? tensor.shape[1] / 2 : tensor.shape[1];
  for (int64_t i = 0; i < tensor.shape[0]; ++i) {
    const std::string expert = prefix + std::to_string(i) + ".";
    const int64_t first = i * tensor.shape[1];
    if (gate_up) {
      tensors.push_back(slice(tensor, expert + "gate_proj.weight", first, rows));
      tensors.push_back(slice(tensor, expert + "up_proj.weight", first + rows, rows));
    } else {
      tensors.push_back(slice(tensor, expert + "down_proj.weight", first, rows));
    }
  }
}

}  // namespace

const SourceTensor* TensorSource::find(std::string_view name) const {
  const auto at = std::lower_bound(
      tensors.begin(), tensors.end(), name,
      [](const SourceTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return at != tensors.end() && at->name == name ? &*at : nullptr;
}

TensorSource make_source(std::vector<SourceTensor> tensors, const std::string& where) {
  std::sort(tensors.begin(), tensors.end(),
            [](const SourceTensor& a, const SourceTensor& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].name == tensors[i - 1].name)
      fail(ErrorKind::data, where, "holds " + clip(tensors[i].name, 200) + " twice",
           "once fused and once apart, perhaps; export it again");
  }
  return {std::move(tensors)};
}

Extent extent_of(const std::vector<int64_t>& shape) {
  Extent extent;
  if (shape.empty()) return extent;
  extent.width = shape.back();
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) extent.rows *= shape[i];
  return extent;
}

TensorSource safetensors_source(const std::filesystem::path& folder) {
  const auto files = std::make_shared<const Safetensors>(Safetensors::open(folder));
  std::unordered_set<std::string_view> scales;
  for (const TensorEntry& entry : files->tensors()) {
    if (entry.dtype == Dtype::f8_e4m3) {
      const TensorEntry* found = files->find(entry.name + std::string(kScaleSuffix));
      if (found != nullptr) scales.insert(found->name);
    }
  }
  std::vector<SourceTensor> tensors;
  for (const TensorEntry& entry : files->tensors()) {
    if (scales.contains(entry.name)) continue;
    if (is_plain(entry.dtype)) {
      add_tensor(plain_tensor(files, entry), tensors);
    } else if (entry.dtype == Dtype::f8_e4m3) {
      add_tensor(scaled_tensor(files, entry, files->find(entry.name + std::string(kScaleSuffix))),
                 tensors);
    } else {
      const std::string dtype(dtype_name(entry.dtype));
      add_tensor(
          {entry.name, entry.shape, dtype + ", known: F32, F16, BF16, F64, F8_E4M3", nullptr},
          tensors);
    }
  }
  return make_source(std::move(tensors), folder.string());
}

}  // namespace cupel::llm

// The tensors of a model's files under the names that transformers gives them, whatever the format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cupel::llm {

/// One tensor; rows are all dimensions but the last, a vector is one row.
struct SourceTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::string problem;  // why its format is not read; empty: it is
  /// Numbers of rows [begin, end) in fp32. Threads may read different rows at once.
  std::function<void(int64_t begin, int64_t end, float* out)> read;
  /// The same rows of a matrix that is stored in 4-bit codes as IQ4_NL blocks (data/cb4.h); empty:
  /// it is not.
  std::function<void(int64_t begin, int64_t end, std::byte* out)> read_codes{};
};

/// The tensors hold what they read from: files stay mapped as long as one of them lives.
struct TensorSource {
  std::vector<SourceTensor> tensors;  // by name, ascending
  /// The tensor, or null pointer.
  const SourceTensor* find(std::string_view name) const;
};

/// Sorts by name. Throws Error{data} naming `where` if a name stands twice.
TensorSource make_source(std::vector<SourceTensor> tensors, const std::string& where);

/// [rows, width] of a shape.
struct Extent {
  int64_t rows = 1, width = 1;
};
Extent extent_of(const std::vector<int64_t>& shape);

/// Safetensors of a folder: one file, or shards with an index. F32, F16, BF16 and F64 are read, and
/// F8_E4M3 with <name>_scale_inv, one factor a block of 128 x 128 (DeepSeek-V3). Experts fused into
/// one tensor, as transformers 5 names them, appear one by one.
TensorSource safetensors_source(const std::filesystem::path& folder);

}  // namespace cupel::llm

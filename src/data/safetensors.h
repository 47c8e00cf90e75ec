// The safetensors file format, in and out: everything is checked before anything is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/mapped_file.h"

namespace cupel {

/// In the order of the format's reference implementation, which sorts tensors by it.
enum class Dtype {
  b8,
  u8,
  i8,
  f8_e5m2,
  f8_e4m3,
  i16,
  u16,
  f16,
  bf16,
  i32,
  u32,
  f32,
  f64,
  i64,
  u64
};

/// The name in the file ("F32", "BF16", "F8_E4M3", …).
std::string_view dtype_name(Dtype dtype);
int64_t dtype_bytes(Dtype dtype);

/// One tensor, row-major, little-endian. `data` belongs to somebody else (a mapped file on the way
/// in, the caller's memory on the way out) and need not be aligned.
struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<int64_t> shape;  // empty: a scalar
  const std::byte* data = nullptr;
  int64_t bytes = 0;
};

/// Tensors of one file, or of a sharded folder as one. Entries point into mapped files and live as
/// long as this object.
class Safetensors {
 public:
  /// `path`: a .safetensors file, a model.safetensors.index.json, or a folder with either.
  /// Header ≤ 100 MB; offsets, shapes and sizes must agree with each other and with the file; no
  /// holes, overlaps, duplicate names or unknown dtypes. Throws Error{data} naming the tensor, or
  /// Error{config} for a missing file.
  static Safetensors open(const std::filesystem::path& path);

  /// By name, ascending.
  const std::vector<TensorEntry>& tensors() const { return tensors_; }
  /// The tensor, or null pointer.
  const TensorEntry* find(std::string_view name) const;
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  void add_file(const std::filesystem::path& path);
  void add_shards(const std::filesystem::path& index);

  std::vector<MappedFile> files_;
  std::vector<TensorEntry> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// Tensors of the file image `bytes`, in file order; what `open` does once a file is mapped.
std::vector<TensorEntry> parse_safetensors(std::span<const std::byte> bytes, std::string_view where,
                                           std::map<std::string, std::string>* metadata = nullptr);

/// Replaces `path` by a file of these tensors. The same tensors give the same bytes in any order:
/// wider dtypes first, then by name, header padded to 8 bytes, as the reference implementation
/// writes. Throws Error{bug} on a duplicate name or a size that contradicts the shape.
void write_safetensors(const std::filesystem::path& path, std::vector<TensorEntry> tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace cupel

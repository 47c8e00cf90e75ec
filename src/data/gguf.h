// The GGUF file format, read only: metadata and tensors, everything checked before it is believed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/gguf_types.h"
#include "data/gguf_value.h"
#include "data/mapped_file.h"

namespace cupel {

struct GgufEntry {
  std::string_view key;
  GgufValue value;
};

/// One tensor, row-major, little-endian. The file gives sizes innermost first; here the outermost
/// comes first, as everywhere else.
struct GgufTensor {
  std::string_view name;
  GgufType type = GgufType::f32;
  std::vector<int64_t> shape;
  int64_t count = 0;  // numbers
  const std::byte* data = nullptr;
  int64_t bytes = 0;
};

/// What a file image holds; views into it.
struct GgufContents {
  uint32_t version = 0;
  std::vector<GgufEntry> metadata;  // in the file's order
  std::vector<GgufTensor> tensors;  // by name, ascending
};

/// Versions 2 and 3, little-endian. Counts, lengths, products of sizes, offsets and alignment must
/// agree with the image's size before anything is allocated by them; no duplicate keys or names, no
/// overlapping tensors, rank 1 to 4, rows of whole blocks, formats of gguf_types.h only. Left out:
/// arrays of arrays, which no model has. Throws Error{data} naming key or tensor.
GgufContents parse_gguf(std::span<const std::byte> image, std::string_view where);

/// Whether the name ends in .gguf.
bool is_gguf(const std::filesystem::path& path);

/// A mapped file. Everything it hands out lives as long as this object.
class Gguf {
 public:
  /// Error{config} for a missing file, else as parse_gguf.
  static Gguf open(const std::filesystem::path& path);

  const std::string& where() const { return where_; }
  const GgufContents& contents() const { return contents_; }
  /// The value, or null pointer.
  const GgufValue* find(std::string_view key) const;
  /// Throws Error{data} "file: missing key".
  const GgufValue& at(std::string_view key) const;
  /// The tensor, or null pointer.
  const GgufTensor* tensor(std::string_view name) const;
  /// "file: key", what the accessors of a value take.
  std::string place(std::string_view key) const { return where_ + ": " + std::string(key); }

 private:
  MappedFile file_;
  std::string where_;
  GgufContents contents_;
};

}  // namespace cupel

// The GGUF file format, written: metadata and tensors, in one pass and without holding a model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "data/gguf_types.h"
#include "data/gguf_value.h"

namespace cupel {

/// The kind of a C++ number.
template <class T>
constexpr GgufKind gguf_kind_of() {
  static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
  if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) == 4 ? GgufKind::f32 : GgufKind::f64;
  } else if constexpr (std::is_signed_v<T>) {
    return sizeof(T) == 1   ? GgufKind::i8
           : sizeof(T) == 2 ? GgufKind::i16
           : sizeof(T) == 4 ? GgufKind::i32
                            : GgufKind::i64;
  } else {
    return sizeof(T) == 1   ? GgufKind::u8
           : sizeof(T) == 2 ? GgufKind::u16
           : sizeof(T) == 4 ? GgufKind::u32
                            : GgufKind::u64;
  }
}

/// Keys and values in the order in which they are added; a key stands once. The kind is that of
/// the C++ type, so a caller says which: number("general.quantization_version", uint32_t{2}).
class GgufMetadata {
 public:
  template <class T>
  void number(std::string_view key, T value) {
    begin(key, gguf_kind_of<T>());
    append(value);
  }
  template <class T>
  void numbers(std::string_view key, const std::vector<T>& values) {
    begin_array(key, gguf_kind_of<T>(), values.size());
    for (const T value : values) append(value);
  }
  void boolean(std::string_view key, bool value);
  void text(std::string_view key, std::string_view value);
  void texts(std::string_view key, const std::vector<std::string>& values);

  std::size_t count() const { return keys_.size(); }
  /// As the file has them.
  const std::string& bytes() const { return bytes_; }

 private:
  void begin(std::string_view key, GgufKind kind);
  void begin_array(std::string_view key, GgufKind item, std::size_t count);
  template <class T>
  void append(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void append_text(std::string_view value);

  std::vector<std::string> keys_;
  std::string bytes_;
};

using ByteSink = std::function<void(std::span<const std::byte>)>;

/// A tensor to be written; the outermost size comes first, as in GgufTensor.
struct GgufOutput {
  std::string name;
  GgufType type = GgufType::f32;
  std::vector<int64_t> shape;
  /// Hands over all bytes in the format of `type`, in pieces of any size.
  std::function<void(const ByteSink& sink)> write;
  int64_t bytes() const;
};

/// Replaces `path` by a file of version 3: these tensors in this order, each at a multiple of 32
/// bytes. The same input gives the same bytes. Throws as base/atomic_file.h does; a name that
/// stands twice, a shape that makes no tensor and a callback that hands over other than bytes()
/// are Error{bug}.
void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                const std::vector<GgufOutput>& tensors);

}  // namespace cupel

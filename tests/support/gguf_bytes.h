// GGUF images made by hand, right or wrong.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/gguf_value.h"

namespace cupel {

/// Appends what it is told to; nothing is checked.
class GgufBytes {
 public:
  template <class T>
  GgufBytes& number(T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  GgufBytes& text(std::string_view value) {
    number<uint64_t>(value.size());
    bytes += value;
    return *this;
  }
  GgufBytes& header(uint64_t tensors, uint64_t entries, uint32_t version = 3) {
    bytes += "GGUF";
    return number(version).number(tensors).number(entries);
  }
  GgufBytes& key(std::string_view name, GgufKind kind) {
    return text(name).number(static_cast<uint32_t>(kind));
  }
  GgufBytes& entry(std::string_view name, std::string_view value) {
    return key(name, GgufKind::text).text(value);
  }
  GgufBytes& entry(std::string_view name, uint32_t value) {
    return key(name, GgufKind::u32).number(value);
  }
  GgufBytes& entry(std::string_view name, float value) {
    return key(name, GgufKind::f32).number(value);
  }
  // A character pointer would rather become a bool than a view.
  GgufBytes& entry(std::string_view name, const char* value) {
    return entry(name, std::string_view(value));
  }
  GgufBytes& entry(std::string_view name, bool value) {
    return key(name, GgufKind::boolean).number(static_cast<uint8_t>(value));
  }
  GgufBytes& entry(std::string_view name, const std::vector<std::string>& values) {
    key(name, GgufKind::array).number(static_cast<uint32_t>(GgufKind::text));
    number<uint64_t>(values.size());
    for (const std::string& value : values) text(value);
    return *this;
  }
  GgufBytes& entry(std::string_view name, const std::vector<int32_t>& values) {
    key(name, GgufKind::array).number(static_cast<uint32_t>(GgufKind::i32));
    number<uint64_t>(values.size());
    for (const int32_t value : values) number(value);
    return *this;
  }
  GgufBytes& entry(std::string_view name, const std::vector<float>& values) {
    key(name, GgufKind::array).number(static_cast<uint32_t>(GgufKind::f32));
    number<uint64_t>(values.size());
    for (const float value : values) number(value);
    return *this;
  }
  /// `sizes` innermost first, as the file has them.
  GgufBytes& tensor(std::string_view name, const std::vector<uint64_t>& sizes, uint32_t type,
                    uint64_t offset) {
    text(name).number(static_cast<uint32_t>(sizes.size()));
    for (const uint64_t size : sizes) number(size);
    return number(type).number(offset);
  }
  /// Zeros up to a multiple of `alignment`.
  GgufBytes& pad(std::size_t alignment = 32) {
    bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
    return *this;
  }
  GgufBytes& zeros(std::size_t count) {
    bytes.append(count, '\0');
    return *this;
  }
  std::span<const std::byte> image() const { return std::as_bytes(std::span(bytes)); }

  std::string bytes;
};

}  // namespace cupel

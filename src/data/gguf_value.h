// A value of a GGUF file's metadata, with typed access.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cupel {

/// The numbers are the format's.
enum class GgufKind : uint32_t {
  u8,
  i8,
  u16,
  i16,
  u32,
  i32,
  f32,
  boolean,
  text,
  array,
  u64,
  i64,
  f64
};

/// A value of the metadata as it lies in the file. An fp32 is read as the shortest decimal that
/// stands for it: 1e-05, not 9.999999747378752e-06. `where` names it in the Error{data} that a
/// wrong kind or a number out of range causes.
struct GgufValue {
  GgufKind kind = GgufKind::u32;
  GgufKind item = GgufKind::u32;  // of an array's items
  uint64_t count = 1;             // items of an array
  std::span<const std::byte> bytes{};

  int64_t as_int(std::string_view where) const;
  double as_double(std::string_view where) const;  // of integers too
  bool as_bool(std::string_view where) const;
  std::string_view as_text(std::string_view where) const;
  std::vector<int64_t> as_ints(std::string_view where) const;
  std::vector<double> as_doubles(std::string_view where) const;
  std::vector<std::string_view> as_texts(std::string_view where) const;
  /// For a person: 32, 1e-05, true, the text, or "[3 × text]".
  std::string shown() const;
};

/// Bytes of a value of this kind; 0 for text and arrays, whose size varies.
uint64_t gguf_kind_bytes(GgufKind kind);

}  // namespace cupel

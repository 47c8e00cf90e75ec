#include "data/gguf_value.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/text.h"

namespace cupel {

namespace {

struct KindRow {
  std::string_view name;
  uint64_t bytes;  // 0: varies
};
constexpr std::array<KindRow, 13> kKinds{{{"uint8", 1},
                                          {"int8", 1},
                                          {"uint16", 2},
                                          {"int16", 2},
                                          {"uint32", 4},
                                          {"int32", 4},
                                          {"float32", 4},
                                          {"bool", 1},
                                          {"text", 0},
                                          {"array", 0},
                                          {"uint64", 8},
                                          {"int64", 8},
                                          {"float64", 8}}};

const KindRow& row_of(GgufKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

template <class T>
T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// The integer at `at`, or nothing if `kind` is none or it does not fit.
std::optional<int64_t> integer_at(GgufKind kind, const std::byte* at) {
  switch (kind) {
    case GgufKind::u8:
      return load<uint8_t>(at);
    case GgufKind::i8:
      return load<int8_t>(at);
    case GgufKind::u16:
      return load<uint16_t>(at);
    case GgufKind::i16:
      return load<int16_t>(at);
    case GgufKind::u32:
      return load<uint32_t>(at);
    case GgufKind::i32:
      return load<int32_t>(at);
    case GgufKind::i64:
      return load<int64_t>(at);
    case GgufKind::u64:
      if (load<int64_t>(at) < 0) return std::nullopt;
      return load<int64_t>(at);
    default:
      return std::nullopt;
  }
}

/// The shortest decimal that reads back as `value`: what a config.json had before it became fp32.
double decimal(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double result = 0;
  std::from_chars(text.data(), end, result);
  return result;
}

std::optional<double> number_at(GgufKind kind, const std::byte* at) {
  if (kind == GgufKind::f32) return decimal(load<float>(at));
  if (kind == GgufKind::f64) return load<double>(at);
  if (kind == GgufKind::u64) return static_cast<double>(load<uint64_t>(at));
  const std::optional<int64_t> integer = integer_at(kind, at);
  if (!integer) return std::nullopt;
  return static_cast<double>(*integer);
}

[[noreturn]] void fail_kind(const GgufValue& value, std::string_view where,
                            std::string_view wanted) {
  fail(ErrorKind::data, std::string(where), "is " + value.shown() + ", not " + std::string(wanted),
       "the file is damaged, or no converter of llama.cpp wrote it");
}

/// Calls item(text) for the items of an array of texts, or the one text.
template <class Item>
void for_each_text(std::span<const std::byte> bytes, uint64_t count, const Item& item) {
  const std::byte* at = bytes.data();
  for (uint64_t i = 0; i < count; ++i) {
    const auto size = load<uint64_t>(at);
    at += sizeof size;
    item(std::string_view(reinterpret_cast<const char*>(at), size));
    at += size;
  }
}

/// Every item of an array of numbers, converted by `convert`.
template <class T, class Convert>
std::vector<T> items_of(const GgufValue& value, std::string_view where, std::string_view wanted,
                        const Convert& convert) {
  if (value.kind != GgufKind::array) fail_kind(value, where, wanted);
  std::vector<T> items;
  const uint64_t each = gguf_kind_bytes(value.item);
  for (uint64_t i = 0; i < value.count; ++i) {
    const std::optional<T> item =
        each == 0 ? std::nullopt : convert(value.item, value.bytes.data() + i * each);
    if (!item) fail_kind(value, where, wanted);
    items.push_back(*item);
  }
  return items;
}

}  // namespace

uint64_t gguf_kind_bytes(GgufKind kind) { return row_of(kind).bytes; }

int64_t GgufValue::as_int(std::string_view where) const {
  const std::optional<int64_t> integer = integer_at(kind, bytes.data());
  if (!integer) fail_kind(*this, where, "an integer");
  return *integer;
}

double GgufValue::as_double(std::string_view where) const {
  const std::optional<double> number = number_at(kind, bytes.data());
  if (!number || !std::isfinite(*number)) fail_kind(*this, where, "a finite number");
  return *number;
}

bool GgufValue::as_bool(std::string_view where) const {
  if (kind != GgufKind::boolean) fail_kind(*this, where, "a bool");
  return load<uint8_t>(bytes.data()) != 0;
}

std::string_view GgufValue::as_text(std::string_view where) const {
  if (kind != GgufKind::text) fail_kind(*this, where, "text");
  std::string_view text;
  for_each_text(bytes, 1, [&](std::string_view found) { text = found; });
  return text;
}

std::vector<int64_t> GgufValue::as_ints(std::string_view where) const {
  return items_of<int64_t>(*this, where, "an array of integers", integer_at);
}

std::vector<double> GgufValue::as_doubles(std::string_view where) const {
  return items_of<double>(*this, where, "an array of numbers", number_at);
}

std::vector<std::string_view> GgufValue::as_texts(std::string_view where) const {
  if (kind != GgufKind::array || item != GgufKind::text)
    fail_kind(*this, where, "an array of texts");
  std::vector<std::string_view> texts;
  for_each_text(bytes, count, [&](std::string_view text) { texts.push_back(text); });
  return texts;
}

std::string GgufValue::shown() const {
  constexpr std::size_t kCharacters = 120;
  if (kind == GgufKind::array) {
    return "[" + std::to_string(count) + " x " + std::string(row_of(item).name) + "]";
  }
  if (kind == GgufKind::text) return "\"" + clip(as_text(""), kCharacters) + "\"";
  if (kind == GgufKind::boolean) return as_bool("") ? "true" : "false";
  if (const std::optional<int64_t> integer = integer_at(kind, bytes.data())) {
    return std::to_string(*integer);
  }
  if (kind == GgufKind::u64) return std::to_string(load<uint64_t>(bytes.data()));
  return shortest(*number_at(kind, bytes.data()));
}

}  // namespace cupel

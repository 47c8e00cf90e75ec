#include "data/arrow_value.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace cupel {
namespace {

template <class T>
T at(const ArrowArray& array, int buffer, int64_t index) {
  T value;
  std::memcpy(
      &value,
      static_cast<const char*>(array.buffers[buffer]) + static_cast<std::size_t>(index) * sizeof(T),
      sizeof(T));
  return value;
}

bool bit(const ArrowArray& array, int buffer, int64_t index) {
  return (at<uint8_t>(array, buffer, index / 8) >> (index % 8) & 1) != 0;
}

bool is_null(const ArrowArray& array, int64_t index) {
  return array.null_count != 0 && array.buffers[0] != nullptr && !bit(array, 0, index);
}

template <class Offset>
json::Value text(const ArrowArray& array, int64_t index) {
  const auto begin = at<Offset>(array, 1, index), end = at<Offset>(array, 1, index + 1);
  return std::string_view(static_cast<const char*>(array.buffers[2]) + begin,
                          static_cast<std::size_t>(end - begin));
}

/// IEEE 754 binary16.
double half(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = 0;
  if (exponent == 31) {
    value = fraction == 0 ? INFINITY : NAN;
  } else {
    value = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(fraction + 1024, exponent - 25);
  }
  return (bits >> 15 & 1) != 0 ? -value : value;
}

std::string padded(int64_t number, std::size_t width) {
  std::string digits = std::to_string(number);
  return std::string(width - std::min(width, digits.size()), '0') + digits;
}

std::string date_text(int64_t days) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2);
}

/// Parts of a second that a unit has: s, m(illi), u (micro), n(ano).
int64_t per_second(char unit) {
  return unit == 's' ? 1 : unit == 'm' ? 1000 : unit == 'u' ? 1'000'000 : 1'000'000'000;
}

std::string time_text(int64_t since_midnight, char unit) {
  const int64_t parts = per_second(unit), seconds = since_midnight / parts;
  std::string out = padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" +
                    padded(seconds % 60, 2);
  const std::size_t digits = unit == 's' ? 0 : unit == 'm' ? 3 : unit == 'u' ? 6 : 9;
  if (digits > 0) out += "." + padded(since_midnight % parts, digits);
  return out;
}

std::string timestamp_text(int64_t value, char unit, bool has_zone) {
  const int64_t a_day = 86'400 * per_second(unit);
  const int64_t days = value / a_day - (value % a_day < 0 ? 1 : 0);
  return date_text(days) + "T" + time_text(value - days * a_day, unit) + (has_zone ? "Z" : "");
}

/// A two's complement number of `width` bytes, little end first, with a point before its last
/// `scale` digits: long division by ten, a byte at a time.
std::string decimal_text(const unsigned char* bytes, std::size_t width, int scale) {
  std::array<unsigned char, 32> number{};
  std::copy_n(bytes, width, number.begin());
  const bool negative = (number[width - 1] & 0x80) != 0;
  if (negative) {
    unsigned carry = 1;
    for (std::size_t i = 0; i < width; ++i) {
      carry += static_cast<unsigned char>(~number[i]);
      number[i] = static_cast<unsigned char>(carry);
      carry >>= 8;
    }
  }
  std::string digits;  // last one first
  const auto left = [&] {
    return std::any_of(number.begin(), number.end(), [](unsigned char b) { return b != 0; });
  };
  while (left() || static_cast<int>(digits.size()) <= scale) {
    unsigned rest = 0;
    for (std::size_t i = width; i-- > 0;) {
      rest = rest << 8 | number[i];
      number[i] = static_cast<unsigned char>(rest / 10);
      rest %= 10;
    }
    digits += static_cast<char>('0' + rest);
  }
  if (scale > 0) digits.insert(static_cast<std::size_t>(scale), ".");
  if (scale < 0) digits.insert(0, static_cast<std::size_t>(-scale), '0');
  if (negative) digits += '-';
  return {digits.rbegin(), digits.rend()};
}

/// Of "d:PRECISION,SCALE" or "d:PRECISION,SCALE,BITS".
json::Value decimal(std::string_view format, const ArrowArray& array, int64_t index) {
  const std::string numbers(format.substr(2));
  const std::size_t first = numbers.find(','), second = numbers.find(',', first + 1);
  const int scale = std::atoi(numbers.c_str() + first + 1);
  const int bits = second == std::string::npos ? 128 : std::atoi(numbers.c_str() + second + 1);
  const auto width = static_cast<std::size_t>(bits / 8);
  const auto* bytes = static_cast<const unsigned char*>(array.buffers[1]);
  return decimal_text(bytes + static_cast<std::size_t>(index) * width, width, scale);
}

json::Value temporal(std::string_view format, const ArrowArray& array, int64_t index) {
  constexpr int64_t kMillisecondsADay = 86'400'000;
  const char kind = format[1], unit = format[2];
  if (kind == 'd') {
    if (unit == 'D') return date_text(at<int32_t>(array, 1, index));
    return date_text(at<int64_t>(array, 1, index) / kMillisecondsADay);
  }
  if (kind == 't') {
    const bool narrow = unit == 's' || unit == 'm';
    return time_text(narrow ? at<int32_t>(array, 1, index) : at<int64_t>(array, 1, index), unit);
  }
  const auto value = at<int64_t>(array, 1, index);
  if (kind == 's') return timestamp_text(value, unit, format.size() > 4);
  return value;
}

json::Value list(const ArrowSchema& schema, const ArrowArray& array, int64_t begin, int64_t end) {
  json::Array items;
  for (int64_t i = begin; i < end; ++i)
    items.push_back(arrow_value(*schema.children[0], *array.children[0], i));
  return items;
}

json::Value nested(const ArrowSchema& schema, const ArrowArray& array, int64_t index) {
  const std::string_view format = schema.format;
  switch (format[1]) {
    case 'l':
    case 'm':
      return list(schema, array, at<int32_t>(array, 1, index), at<int32_t>(array, 1, index + 1));
    case 'L':
      return list(schema, array, at<int64_t>(array, 1, index), at<int64_t>(array, 1, index + 1));
    case 'w': {
      const int64_t size = std::atoll(schema.format + 3);
      return list(schema, array, index * size, (index + 1) * size);
    }
    default: {  // a struct; its children start where it does
      json::Object members;
      for (int64_t i = 0; i < schema.n_children; ++i)
        members.emplace_back(schema.children[i]->name,
                             arrow_value(*schema.children[i], *array.children[i], index));
      return members;
    }
  }
}

json::Value unsigned_value(uint64_t value) {
  if (value <= INT64_MAX) return static_cast<int64_t>(value);
  return static_cast<double>(value);
}

json::Value plain(char format, const ArrowArray& array, int64_t index) {
  switch (format) {
    case 'b':
      return bit(array, 1, index);
    case 'c':
      return int64_t{at<int8_t>(array, 1, index)};
    case 'C':
      return int64_t{at<uint8_t>(array, 1, index)};
    case 's':
      return int64_t{at<int16_t>(array, 1, index)};
    case 'S':
      return int64_t{at<uint16_t>(array, 1, index)};
    case 'i':
      return int64_t{at<int32_t>(array, 1, index)};
    case 'I':
      return int64_t{at<uint32_t>(array, 1, index)};
    case 'l':
      return at<int64_t>(array, 1, index);
    case 'L':
      return unsigned_value(at<uint64_t>(array, 1, index));
    case 'e':
      return half(at<uint16_t>(array, 1, index));
    case 'f':
      return double{at<float>(array, 1, index)};
    case 'g':
      return at<double>(array, 1, index);
    case 'u':
      return text<int32_t>(array, index);
    case 'U':
      return text<int64_t>(array, index);
    default:  // 'n'
      return nullptr;
  }
}

bool is_readable(std::string_view format) {
  if (format.size() == 1) return std::string_view("nbcCsSiIlLefguU").find(format) < format.npos;
  for (const char* prefix : {"d:", "td", "tt", "ts", "tD", "+l", "+L", "+m", "+s", "+w:"}) {
    if (format.starts_with(prefix)) return true;
  }
  return false;
}

std::string type_name(std::string_view format) {
  if (format == "z" || format == "Z" || format.starts_with("w:")) return "binary";
  return "Arrow type \"" + std::string(format) + "\"";
}

}  // namespace

std::string unreadable_column(const ArrowSchema& schema) {
  if (!is_readable(schema.format))
    return "column \"" + std::string(schema.name) + "\": " + type_name(schema.format);
  if (schema.dictionary != nullptr) {
    ArrowSchema meant = *schema.dictionary;  // which has no name of its own
    meant.name = schema.name;
    return unreadable_column(meant);
  }
  for (int64_t i = 0; i < schema.n_children; ++i) {
    if (std::string found = unreadable_column(*schema.children[i]); !found.empty()) return found;
  }
  return {};
}

json::Value arrow_value(const ArrowSchema& schema, const ArrowArray& array, int64_t row) {
  const int64_t index = row + array.offset;
  const std::string_view format = schema.format;
  if (format == "n" || is_null(array, index)) return nullptr;
  if (schema.dictionary != nullptr) {
    const int64_t key = plain(format[0], array, index).as_int("dictionary");
    return arrow_value(*schema.dictionary, *array.dictionary, key);
  }
  if (format[0] == '+') return nested(schema, array, index);
  if (format[0] == 'd') return decimal(format, array, index);
  if (format[0] == 't') return temporal(format, array, index);
  return plain(format[0], array, index);
}

}  // namespace cupel

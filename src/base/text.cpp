#include "base/text.h"

#include <utf8proc.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cupel {
namespace {

struct CodePoint {
  utf8proc_int32_t value;  // negative: not UTF-8
  std::size_t bytes;
};

CodePoint decode(std::string_view text, std::size_t at) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at);
  const auto left =
      static_cast<utf8proc_ssize_t>(std::min<std::size_t>(text.size() - at, 4));  // longest form
  utf8proc_int32_t value = -1;
  const utf8proc_ssize_t used = utf8proc_iterate(bytes, left, &value);
  if (used <= 0) return {-1, 1};
  return {value, static_cast<std::size_t>(used)};
}

}  // namespace

std::size_t valid_utf8_prefix(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      ++at;
      continue;
    }
    const CodePoint point = decode(text, at);
    if (point.value < 0) break;
    at += point.bytes;
  }
  return at;
}

std::string clip(std::string_view text, std::size_t characters) {
  std::string out;
  std::size_t at = 0;
  for (std::size_t count = 0; at < text.size(); ++count) {
    if (count == characters) return out + "…";
    const CodePoint point = decode(text, at);
    if (point.value < 0) {
      out += "\xEF\xBF\xBD";
    } else if (point.value < 0x20 || (point.value >= 0x7f && point.value < 0xa0)) {
      out += ' ';
    } else {
      out += text.substr(at, point.bytes);
    }
    at += point.bytes;
  }
  return out;
}

std::string shortest(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  std::string out(buffer, end);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

std::string line_and_column(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto lines = std::count(before.begin(), before.end(), '\n');
  const std::size_t last = before.rfind('\n');
  const std::size_t column =
      last == std::string_view::npos ? before.size() : before.size() - last - 1;
  return std::to_string(lines + 1) + ":" + std::to_string(column + 1);
}

}  // namespace cupel

#include "data/utf8.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "base/text.h"

namespace cupel {

namespace {

/// Bytes of the well-formed character at `at`, or 0.
std::size_t character_size(std::string_view text, std::size_t at) {
  if (static_cast<unsigned char>(text[at]) < 0x80) return 1;
  utf8proc_int32_t codepoint = 0;
  const std::size_t rest = std::min<std::size_t>(text.size() - at, 4);
  const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                     static_cast<utf8proc_ssize_t>(rest), &codepoint);
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

/// Bytes of the character that begins with `lead`; 1 if none does that is longer.
std::size_t wanted_size(unsigned char lead) {
  return lead >= 0xF0 && lead <= 0xF4   ? 4
         : lead >= 0xE0 && lead <= 0xEF ? 3
         : lead >= 0xC2 && lead <= 0xDF ? 2
                                        : 1;
}

/// Bytes at `at` that begin a character but do not finish it: one replacement stands for them.
std::size_t malformed_size(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const std::size_t wanted = wanted_size(lead);
  unsigned char low = 0x80, high = 0xBF;  // of the second byte (Unicode 15, table 3-7)
  if (lead == 0xE0) low = 0xA0;
  if (lead == 0xED) high = 0x9F;
  if (lead == 0xF0) low = 0x90;
  if (lead == 0xF4) high = 0x8F;
  std::size_t size = 1;
  while (size < wanted && at + size < text.size()) {
    if (byte(at + size) < low || byte(at + size) > high) break;
    low = 0x80, high = 0xBF;
    ++size;
  }
  return size;
}

}  // namespace

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    uint64_t word = 0;
    while (at + sizeof word <= text.size()) {
      std::memcpy(&word, text.data() + at, sizeof word);
      if (word & UINT64_C(0x8080808080808080)) break;
      at += sizeof word;
    }
    if (at == text.size()) break;
    const std::size_t size = character_size(text, at);
    if (size == 0) return at;
    at += size;
  }
  return std::nullopt;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t good = find_invalid_utf8(text).value_or(text.size());
    out += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) break;
    out += kReplacementUtf8;
    text.remove_prefix(malformed_size(text, 0));
  }
  return out;
}

std::size_t unfinished_utf8_tail(std::string_view text) {
  for (std::size_t size = 1; size < 4 && size <= text.size(); ++size) {
    const std::size_t at = text.size() - size;
    if (wanted_size(static_cast<unsigned char>(text[at])) <= size) continue;
    return malformed_size(text, at) == size ? size : 0;
  }
  return 0;
}

std::string clip_text(std::string_view text, std::size_t characters) {
  // Four bytes a character are enough to know whether there is more.
  const std::string clean = replace_invalid_utf8(text.substr(0, 4 * (characters + 1)));
  std::size_t at = 0, last = 0, count = 0;
  while (at < clean.size() && count < characters) {
    last = at;
    at += character_size(clean, at);
    ++count;
  }
  if (at == clean.size() && text.size() <= 4 * (characters + 1)) return clean;
  return clean.substr(0, last) + "…";
}

}  // namespace cupel

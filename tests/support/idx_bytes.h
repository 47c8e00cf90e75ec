// idx files, byte by byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cupel {

/// The header of an idx file; type 8 is unsigned bytes, which follow it.
inline std::string idx_header(const std::vector<uint32_t>& shape, char type = 8) {
  std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
  for (const uint32_t size : shape)
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift);
  return bytes;
}

}  // namespace cupel

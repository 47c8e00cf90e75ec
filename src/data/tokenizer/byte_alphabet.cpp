#include "data/tokenizer/byte_alphabet.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "data/tokenizer/unicode_classes.h"

namespace cupel {

namespace {

constexpr int32_t kAlphabetSize = 256 + 68;

/// The character of each byte: printable Latin-1 stands for itself, the rest follows U+0100.
std::array<int32_t, 256> make_alphabet() {
  std::array<int32_t, 256> characters{};
  int32_t next = 256;
  for (int32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    characters[static_cast<std::size_t>(byte)] = printable ? byte : next++;
  }
  return characters;
}

const std::array<int32_t, 256>& alphabet() {
  static const std::array<int32_t, 256> characters = make_alphabet();
  return characters;
}

/// The byte of each character, or -1.
const std::array<int, kAlphabetSize>& alphabet_bytes() {
  static const auto bytes = [] {
    std::array<int, kAlphabetSize> result{};
    result.fill(-1);
    for (std::size_t byte = 0; byte < 256; ++byte) {
      result[static_cast<std::size_t>(alphabet()[byte])] = static_cast<int>(byte);
    }
    return result;
  }();
  return bytes;
}

}  // namespace

std::string bytes_to_alphabet(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    append_character(alphabet()[static_cast<unsigned char>(byte)], text);
  }
  return text;
}

bool alphabet_to_bytes(std::string_view text, std::string& out) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t size = lead < 0x80 ? 1 : 2;  // no character of the alphabet has more bytes
    if (lead >= 0xe0 || at + size > text.size()) return false;
    const int32_t character = take_character(text, at);
    if (character >= kAlphabetSize) return false;
    const int byte = alphabet_bytes()[static_cast<std::size_t>(character)];
    if (byte < 0) return false;
    bytes.push_back(static_cast<char>(byte));
  }
  out = std::move(bytes);
  return true;
}

std::string token_of_byte(char byte) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  return {'<', '0', 'x', kDigits[value >> 4], kDigits[value & 15], '>'};
}

std::optional<char> byte_of_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
  // Rust's parser of numbers, which the reference implementation uses, takes a sign as well.
  const char* begin = token.data() + (token[3] == '+' ? 4 : 3);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(begin, token.data() + 5, value, 16);
  if (error != std::errc() || end != token.data() + 5) return std::nullopt;
  return static_cast<char>(value);
}

}  // namespace cupel

// Bytes as text: GPT-2's alphabet, and the byte tokens of SentencePiece.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cupel {

/// GPT-2's alphabet: each byte as a printable character, so that a vocabulary is text.
std::string bytes_to_alphabet(std::string_view bytes);
/// False, and `out` untouched, if a character is not of the alphabet.
bool alphabet_to_bytes(std::string_view text, std::string& out);

/// "<0x0A>", as SentencePiece spells a byte that no other token covers.
std::string token_of_byte(char byte);
/// The byte of such a token, whose digits may be small letters; nothing for any other text.
std::optional<char> byte_of_token(std::string_view token);

}  // namespace cupel

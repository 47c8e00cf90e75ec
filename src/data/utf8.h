// Unicode text: is it UTF-8, and how to print it when it is not.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cupel {

/// Offset of the first byte that is not part of well-formed UTF-8 (overlong forms and surrogates
/// count as malformed), or nothing.
std::optional<std::size_t> find_invalid_utf8(std::string_view text);

/// `text` with every malformed sequence replaced by U+FFFD, one for each maximal prefix of a valid
/// sequence, as Unicode recommends and as Rust and Python do.
std::string replace_invalid_utf8(std::string_view text);

/// Bytes at the end, at most three, that begin a character and lack its rest: more text may make
/// them one.
std::size_t unfinished_utf8_tail(std::string_view text);

/// The first `characters` characters, fit for a message: malformed bytes replaced, a cut marked by
/// "…" within the limit.
std::string clip_text(std::string_view text, std::size_t characters = 200);

}  // namespace cupel

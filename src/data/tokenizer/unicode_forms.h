// Unicode's normal forms as Hugging Face's tokenizers compute them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cupel {

/// The tables of the reference implementation are those of Unicode 9: a later mark does not move,
/// and a later character neither falls apart nor is composed.
enum class UnicodeForm { nfc, nfd, nfkc, nfkd };

/// "NFC" and so on.
std::optional<UnicodeForm> unicode_form(std::string_view name);

/// `text` is valid UTF-8. Throws Error{resource} if memory runs out.
std::string normal_form(std::string_view text, UnicodeForm form);
/// Whether normal_form() surely returns `text` itself; a false may be wrong.
bool is_normal(std::string_view text, UnicodeForm form);

/// Mn, Mc and Me of Unicode 9.
bool is_combining_mark(int32_t character);

bool is_ascii(std::string_view text);

}  // namespace cupel

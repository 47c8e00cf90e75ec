// Which language a text is in, without a model: its script, then words and letters that tell.
#pragma once

#include <string_view>

namespace cupel::curate {

inline constexpr std::string_view kUndetermined = "und";  // ISO 639-2

struct Language {
  std::string_view code = kUndetermined;  // ISO 639-1; lives for ever
  /// Of the letters, those of the language's script; of these, in scripts that several of the
  /// languages share, the part of the evidence that speaks for it.
  double share = 0;
};

/// Scripts with one language here: zh ja ko th el he hi ka hy and others; Cyrillic: ru uk bg;
/// Arabic: ar fa ur; Latin: en de fr es it pt nl and others, by frequent words and by sequences of
/// letters. A text without letters, or in Latin letters without evidence, is "und". Reads the first
/// 65,536 bytes. Made for sentences and longer; a name or a title may well be "und".
Language identify_language(std::string_view text);

/// A code that identify_language() can give, other than "und".
bool is_known_language(std::string_view code);

}  // namespace cupel::curate

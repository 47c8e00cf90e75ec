// Regular expressions over UTF-8, compiled once and matched within limits.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "data/tokenizer/scan.h"
#include "data/tokenizer/unicode_classes.h"

namespace cupel {

/// PCRE2 with Unicode properties, read as Oniguruma (which Hugging Face's tokenizers use) reads the
/// patterns of published tokenizers: \s is Unicode's White_Space, ^ and $ match at line breaks, and
/// \p{L} and alike have the characters of Unicode 16. Well-known patterns are scanned instead.
/// Left out: Oniguruma's other dialect (\h, \K<name>, possessive {n,m}+).
/// Objects are immutable: threads may share one.
class Regex {
 public:
  /// `where` names the pattern in errors. Throws Error{data} for a pattern that does not compile.
  Regex(std::string_view pattern, std::string where);
  /// Matches `text` itself.
  static Regex literal(std::string_view text, std::string where);

  /// The first match at or after `from`. `text` is valid UTF-8. Throws Error{data} when the steps
  /// for one match exceed a limit that grows with the text.
  std::optional<Span> find(std::string_view text, std::size_t from) const;

 private:
  struct Code;
  Regex() = default;

  Scan scan_ = nullptr;
  std::shared_ptr<const Code> code_;  // null: literal_ is sought
  std::shared_ptr<const std::string> literal_;
  std::string where_;
};

/// {"Regex": pattern} or {"String": text} of a tokenizer.json.
Regex parse_pattern(const json::Value& value, const std::string& where);

/// Calls piece(text, is_match) for the matches and for what lies between them, in order. A match
/// may be empty, unless it stands where the match before it ended; an empty text has none.
template <class Piece>
void for_each_piece(const Regex& regex, std::string_view text, const Piece& piece) {
  std::size_t done = 0, from = 0;
  bool first = true;
  while (from <= text.size() && !text.empty()) {
    const std::optional<Span> match = regex.find(text, from);
    if (!match) break;
    from = match->end;
    if (match->begin == match->end) {
      from < text.size() ? void(take_character(text, from)) : void(++from);
      if (!first && match->begin == done) continue;
    }
    if (match->begin > done) piece(text.substr(done, match->begin - done), false);
    piece(text.substr(match->begin, match->end - match->begin), true);
    done = match->end;
    first = false;
  }
  if (done < text.size()) piece(text.substr(done), false);
}

/// The most bytes that steps of a tokenizer.json may make of a text of `size`: a short file must
/// not be able to ask for all memory. NFKC makes 11 of one at most.
std::size_t most_bytes(std::size_t size);
/// Throws Error{data} if `size` is more.
void check_growth(std::size_t size, std::size_t most);

/// `content` in place of each match. Throws Error{data} for a result of more than `most` bytes.
std::string replace_all(const Regex& regex, std::string_view content, std::string_view text,
                        std::size_t most);

}  // namespace cupel

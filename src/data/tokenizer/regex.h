// Regular expressions over UTF-8, compiled once and matched within limits.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cupel {

/// PCRE2 with Unicode properties, read as Oniguruma (which Hugging Face's tokenizers use) reads the
/// patterns of published tokenizers: \s is Unicode's White_Space, ^ and $ match at line breaks.
/// Left out: Oniguruma's other dialect (\h, \K<name>, possessive {n,m}+).
/// Objects are immutable: threads may share one.
class Regex {
 public:
  struct Match {
    std::size_t begin, end;
  };

  /// `where` names the pattern in errors. Throws Error{data} for a pattern that does not compile.
  Regex(std::string_view pattern, std::string where);
  /// Matches `text` itself.
  static Regex literal(std::string_view text, std::string where);

  /// The first match at or after `from`. `text` is valid UTF-8. Throws Error{data} when the steps
  /// for one match exceed a limit that grows with the text.
  std::optional<Match> find(std::string_view text, std::size_t from) const;

 private:
  struct Code;
  Regex(std::string_view pattern, unsigned options, std::string where);

  std::shared_ptr<const Code> code_;
  std::string where_;
};

}  // namespace cupel

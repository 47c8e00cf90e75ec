#include "data/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/error.h"
#include "data/jinja/text.h"
#include "data/utf8.h"

namespace cupel::jinja {
namespace {

/// Line ends become \n, and one at the end of the text goes, as jinja2 has it.
std::string normalise_lines(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r') {
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
      out += '\n';
    } else {
      out += source[i];
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80) != 0;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(std::string_view source, const std::string& where)
      : source_(normalise_lines(source)), where_(where) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) next_part();
    add(TokenKind::end);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void refuse(std::string text, std::string hint = "correct the template") const {
    fail(ErrorKind::data, where_ + ":" + std::to_string(line_), std::move(text), std::move(hint));
  }

  void add(TokenKind kind, std::string text = {}) {
    tokens_.push_back({kind, std::move(text), line_, 0, 0});
  }

  bool follows(std::string_view word) const {
    return std::string_view(source_).substr(at_).starts_with(word);
  }

  void advance(std::size_t bytes) {
    const auto begin = source_.begin() + static_cast<std::ptrdiff_t>(at_);
    line_ +=
        static_cast<int32_t>(std::count(begin, begin + static_cast<std::ptrdiff_t>(bytes), '\n'));
    at_ += bytes;
  }

  void skip_space() { advance(leading_space(std::string_view(source_).substr(at_))); }

  /// Text up to the next tag, then the tag.
  void next_part() {
    std::size_t open = at_;
    while (true) {
      open = source_.find('{', open);
      if (open == std::string::npos || open + 1 == source_.size()) {
        add(TokenKind::text, source_.substr(at_));
        advance(source_.size() - at_);
        return;
      }
      const char kind = source_[open + 1];
      if (kind == '%' || kind == '{' || kind == '#') break;
      ++open;
    }
    const char kind = source_[open + 1];
    const char sign = open + 2 < source_.size() ? source_[open + 2] : ' ';
    add_text(source_.substr(at_, open - at_), sign, kind != '{');
    advance(open - at_);
    const bool marked = sign == '-' || sign == '+';
    advance(marked ? 3 : 2);
    if (kind == '#') {
      skip_comment();
    } else if (kind == '%' && begin_raw()) {
      copy_raw();
    } else {
      lex_tag(kind == '%');
    }
  }

  /// The text before a tag whose sign is `sign`.
  void add_text(std::string text, char sign, bool lstrip) {
    if (sign == '-') {
      text.resize(text.size() - trailing_space(text));
    } else if (sign != '+' && lstrip) {
      const std::size_t line_begin = text.rfind('\n') + 1;  // 0 without one
      const std::string_view rest = std::string_view(text).substr(line_begin);
      if ((line_begin > 0 || line_starting_) && leading_space(rest) == rest.size())
        text.resize(line_begin);
    }
    if (!text.empty()) add(TokenKind::text, std::move(text));
  }

  /// Behind a tag: `sign` stands before its end. A block takes the line end that follows along.
  void after_tag(char sign, bool block) {
    const std::size_t begin = at_;
    if (sign == '-') {
      skip_space();
    } else if (block && sign != '+' && follows("\n")) {
      advance(1);
    }
    line_starting_ = at_ > begin && source_[at_ - 1] == '\n';
  }

  void skip_comment() {
    const std::size_t close = source_.find("#}", at_);
    if (close == std::string::npos) refuse("a comment is not closed by #}");
    const char sign = close > at_ ? source_[close - 1] : ' ';
    advance(close + 2 - at_);
    after_tag(sign, true);
  }

  /// Behind "{%": takes "raw %}", if that follows.
  bool begin_raw() {
    std::string_view rest = std::string_view(source_).substr(at_);
    const std::size_t all = rest.size();
    rest.remove_prefix(leading_space(rest));
    if (!rest.starts_with("raw")) return false;
    rest.remove_prefix(3);
    rest.remove_prefix(leading_space(rest));
    const bool strip = rest.starts_with("-%}");
    if (!strip && !rest.starts_with("%}")) return false;
    advance(all - rest.size() + (strip ? 3 : 2));
    if (strip) skip_space();
    line_starting_ = strip && source_[at_ - 1] == '\n';
    return true;
  }

  void copy_raw() {
    for (std::size_t open = at_; (open = source_.find("{%", open)) != std::string::npos; ++open) {
      std::string_view rest = std::string_view(source_).substr(open + 2);
      const char sign = rest.empty() ? ' ' : rest[0];
      if (sign == '-' || sign == '+') rest.remove_prefix(1);
      rest.remove_prefix(leading_space(rest));
      if (!rest.starts_with("endraw")) continue;
      rest.remove_prefix(6);
      rest.remove_prefix(leading_space(rest));
      const char end = rest.empty() ? ' ' : rest[0];
      if (end == '-' || end == '+') rest.remove_prefix(1);
      if (!rest.starts_with("%}")) continue;
      add_text(source_.substr(at_, open - at_), sign, true);
      advance(source_.size() - rest.size() + 2 - at_);
      after_tag(end, true);
      return;
    }
    refuse("{% raw %} is not closed by {% endraw %}");
  }

  /// Takes the end of a tag, if one stands here.
  bool end_tag(bool block) {
    const std::string_view end = block ? "%}" : "}}";
    const bool signed_end = follows("-") || (block && follows("+"));
    const std::size_t from = at_ + (signed_end ? 1 : 0);
    if (!std::string_view(source_).substr(from).starts_with(end)) return false;
    const char sign = signed_end ? source_[at_] : ' ';
    add(block ? TokenKind::block_end : TokenKind::variable_end);
    advance(from + 2 - at_);
    after_tag(sign, block);
    return true;
  }

  void lex_tag(bool block) {
    add(block ? TokenKind::block_begin : TokenKind::variable_begin);
    brackets_.clear();
    while (true) {
      skip_space();
      if (at_ == source_.size())
        refuse(block ? "a tag is not closed by %}" : "an expression is not closed by }}");
      if (brackets_.empty() && end_tag(block)) return;
      const char c = source_[at_];
      if (is_digit(c)) {
        lex_number();
      } else if (begins_name(c)) {
        std::size_t end = at_;
        while (end < source_.size() && (begins_name(source_[end]) || is_digit(source_[end]))) ++end;
        add(TokenKind::name, source_.substr(at_, end - at_));
        advance(end - at_);
      } else if (c == '\'' || c == '"') {
        lex_string(c);
      } else {
        lex_sign();
      }
    }
  }

  /// Digits and single underscores between them, which are left out.
  std::string take_digits() {
    std::string digits;
    while (at_ < source_.size()) {
      const bool joint = source_[at_] == '_' && !digits.empty() && at_ + 1 < source_.size() &&
                         is_digit(source_[at_ + 1]);
      if (!joint && !is_digit(source_[at_])) break;
      if (!joint) digits += source_[at_];
      ++at_;
    }
    return digits;
  }

  /// "0x1F", "0o17", "0b11": takes it if it stands here.
  bool lex_based_number() {
    if (source_[at_] != '0' || at_ + 2 >= source_.size()) return false;
    const char letter = static_cast<char>(source_[at_ + 1] | 0x20);
    const int base = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (base == 0) return false;
    const char* const begin = source_.data() + at_ + 2;
    int64_t value = 0;
    const auto [end, error] = std::from_chars(begin, source_.data() + source_.size(), value, base);
    if (end == begin || *begin == '-') return false;
    if (error != std::errc()) refuse("a number is out of range");
    add(TokenKind::integer);
    tokens_.back().integer = value;
    at_ += static_cast<std::size_t>(end - begin) + 2;
    return true;
  }

  void lex_number() {
    if (lex_based_number()) return;
    std::string digits = take_digits();
    bool real = false;
    if (at_ + 1 < source_.size() && source_[at_] == '.' && is_digit(source_[at_ + 1])) {
      ++at_;
      digits += "." + take_digits();
      real = true;
    }
    std::size_t exponent = at_ + 1;
    if (at_ < source_.size() && (source_[at_] == 'e' || source_[at_] == 'E')) {
      const bool sign =
          exponent < source_.size() && (source_[exponent] == '+' || source_[exponent] == '-');
      if (sign) ++exponent;
      if (exponent < source_.size() && is_digit(source_[exponent])) {
        digits += sign && source_[exponent - 1] == '-' ? "e-" : "e";
        at_ = exponent;
        digits += take_digits();
        real = true;
      }
    }
    if (!real && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos)
      refuse("number " + digits + " begins with 0");
    add(real ? TokenKind::number : TokenKind::integer, digits);
    const char* end = digits.data() + digits.size();
    const auto error = real ? std::from_chars(digits.data(), end, tokens_.back().number).ec
                            : std::from_chars(digits.data(), end, tokens_.back().integer).ec;
    if (error != std::errc()) refuse("number " + digits + " is out of range");
  }

  void lex_string(char quote) {
    std::size_t end = at_ + 1;
    while (end < source_.size() && source_[end] != quote) end += source_[end] == '\\' ? 2 : 1;
    if (end >= source_.size()) refuse("a string is not closed by its quote");
    add(TokenKind::string, unescape(std::string_view(source_).substr(at_ + 1, end - at_ - 1)));
    advance(end + 1 - at_);
  }

  void lex_sign() {
    constexpr std::array<std::string_view, 6> kPairs{"//", "**", "==", "!=", "<=", ">="};
    constexpr std::string_view kSingles = "+-*/%~<>=.,:|()[]{}";
    const auto pair = std::ranges::find_if(kPairs, [&](auto sign) { return follows(sign); });
    const std::size_t size = pair == kPairs.end() ? 1 : 2;
    const std::string sign = source_.substr(at_, size);
    if (size == 1 && kSingles.find(sign[0]) == std::string_view::npos)
      refuse("unexpected character \"" + sign + "\"");
    constexpr std::string_view kOpen = "([{", kClose = ")]}";
    if (const std::size_t kind = kOpen.find(sign[0]); kind != std::string_view::npos)
      brackets_ += kClose[kind];
    if (kClose.find(sign[0]) != std::string_view::npos) {
      if (brackets_.empty() || brackets_.back() != sign[0])
        refuse("\"" + sign + "\" closes no bracket that is open");
      brackets_.pop_back();
    }
    add(TokenKind::sign, sign);
    advance(size);
  }

  std::string source_;
  const std::string& where_;
  std::size_t at_ = 0;
  int32_t line_ = 1;
  bool line_starting_ = true;
  std::string brackets_;  // that close what is open in this tag
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source, const std::string& where) {
  if (source.size() > kMostTemplateBytes)
    fail(ErrorKind::data, where, "the template is larger than 1 MiB", "is it a template?");
  if (const auto bad = find_invalid_utf8(source))
    fail(ErrorKind::data, where, "not valid UTF-8 at byte " + std::to_string(*bad),
         "correct the template");
  return Lexer(source, where).run();
}

}  // namespace cupel::jinja

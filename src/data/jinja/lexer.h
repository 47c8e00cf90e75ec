// The text of a template → tokens, with Jinja's control of white space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cupel::jinja {

enum class TokenKind : uint8_t {
  text,
  block_begin,
  block_end,
  variable_begin,
  variable_end,
  name,
  string,
  integer,
  number,
  sign,  // an operator or a bracket
  end
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text{};
  int32_t line = 1;
  int64_t integer = 0;
  double number = 0;
};

constexpr std::size_t kMostTemplateBytes = std::size_t{1} << 20;

/// As jinja2 with trim_blocks and lstrip_blocks: the line end behind a block goes, and so does the
/// blank space before one that begins a line. The last token is `end`. Throws Error{data}
/// "where:line: …" for what is not closed, unknown signs, text that is no UTF-8, and more than
/// kMostTemplateBytes.
std::vector<Token> tokenize(std::string_view source, const std::string& where);

}  // namespace cupel::jinja

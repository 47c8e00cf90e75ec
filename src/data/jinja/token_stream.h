// Tokens read one by one, with the errors of a parser.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "data/jinja/lexer.h"

namespace cupel::jinja {

class TokenStream {
 public:
  TokenStream(std::vector<Token> tokens, std::string where)
      : tokens_(std::move(tokens)), where_(std::move(where)) {}

  const Token& peek(std::size_t ahead = 0) const;
  Token next();
  bool at(TokenKind kind) const { return peek().kind == kind; }
  bool at_sign(std::string_view sign) const { return is(peek(), TokenKind::sign, sign); }
  bool at_name(std::string_view name) const { return is(peek(), TokenKind::name, name); }
  /// Takes the token if it stands here.
  bool skip_sign(std::string_view sign);
  bool skip_name(std::string_view name);
  /// Takes the token that must stand here. Throws Error{data} if another does.
  void expect_sign(std::string_view sign);
  void expect_name(std::string_view name);
  void expect(TokenKind kind, std::string_view what);
  std::string take_name();

  /// Throws Error{data} "where:line: …".
  [[noreturn]] void refuse(std::string text, std::string hint = "correct the template") const;
  [[noreturn]] void refuse_token(std::string_view wanted) const;

  static bool is(const Token& token, TokenKind kind, std::string_view text) {
    return token.kind == kind && token.text == text;
  }

 private:
  std::vector<Token> tokens_;
  std::string where_;
  std::size_t at_ = 0;
};

}  // namespace cupel::jinja

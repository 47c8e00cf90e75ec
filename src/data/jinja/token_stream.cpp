#include "data/jinja/token_stream.h"

#include <algorithm>

#include "base/error.h"
#include "data/utf8.h"

namespace cupel::jinja {
namespace {

std::string shown(const Token& token) {
  switch (token.kind) {
    case TokenKind::end:
      return "the end of the template";
    case TokenKind::block_end:
      return "%}";
    case TokenKind::variable_end:
      return "}}";
    case TokenKind::text:
    case TokenKind::block_begin:
    case TokenKind::variable_begin:
      return "text";
    default:
      return "\"" + clip_text(token.text, 40) + "\"";
  }
}

}  // namespace

const Token& TokenStream::peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

Token TokenStream::next() {
  Token token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenStream::skip_sign(std::string_view sign) {
  const bool here = at_sign(sign);
  if (here) next();
  return here;
}

bool TokenStream::skip_name(std::string_view name) {
  const bool here = at_name(name);
  if (here) next();
  return here;
}

void TokenStream::expect_sign(std::string_view sign) {
  if (!skip_sign(sign)) refuse_token("\"" + std::string(sign) + "\"");
}

void TokenStream::expect_name(std::string_view name) {
  if (!skip_name(name)) refuse_token("\"" + std::string(name) + "\"");
}

void TokenStream::expect(TokenKind kind, std::string_view what) {
  if (!at(kind)) refuse_token(what);
  next();
}

std::string TokenStream::take_name() {
  if (!at(TokenKind::name)) refuse_token("a name");
  return next().text;
}

void TokenStream::refuse(std::string text, std::string hint) const {
  fail(ErrorKind::data, where_ + ":" + std::to_string(peek().line), std::move(text),
       std::move(hint));
}

void TokenStream::refuse_token(std::string_view wanted) const {
  refuse("expected " + std::string(wanted) + ", not " + shown(peek()));
}

}  // namespace cupel::jinja

#include <algorithm>
#include <utility>

#include "data/jinja/expression_parser.h"

namespace cupel::jinja {
namespace {

std::vector<Expression> one(Expression node) {
  std::vector<Expression> operands;
  operands.push_back(std::move(node));
  return operands;
}

}  // namespace

Expression ExpressionParser::postfix(Expression node) {
  while (true) {
    if (tokens_.at_sign(".") || tokens_.at_sign("[")) {
      node = subscript(std::move(node));
    } else if (tokens_.at_sign("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

Expression ExpressionParser::filters(Expression node) {
  while (true) {
    if (tokens_.skip_sign("|")) {
      node = filter(std::move(node));
    } else if (tokens_.skip_name("is")) {
      node = test(std::move(node));
    } else if (tokens_.at_sign("(")) {
      node = call(std::move(node));
    } else {
      return node;
    }
  }
}

Expression ExpressionParser::filter(Expression node) {
  std::string name = tokens_.take_name();
  Expression out = make(Kind::filter, std::move(name), one(std::move(node)));
  if (tokens_.at_sign("(")) arguments(out);
  return out;
}

Expression ExpressionParser::filter_chain() {
  Expression node = make(Kind::captured, "", {});
  do {
    node = filter(std::move(node));
  } while (tokens_.skip_sign("|"));
  return node;
}

Expression ExpressionParser::test(Expression node) {
  const bool negated = tokens_.skip_name("not");
  std::string name = tokens_.take_name();
  Expression out = make(Kind::test, std::move(name), one(std::move(node)));
  const Token& token = tokens_.peek();
  const bool word = token.kind == TokenKind::name && token.text != "else" && token.text != "or" &&
                    token.text != "and";
  const bool value = token.kind == TokenKind::string || token.kind == TokenKind::integer ||
                     token.kind == TokenKind::number || tokens_.at_sign("[") ||
                     tokens_.at_sign("{");
  if (tokens_.at_sign("(")) {
    arguments(out);
  } else if (word || value) {
    if (tokens_.at_name("is")) tokens_.refuse("two tests with \"is\" cannot follow one another");
    Expression operand = postfix(primary());
    out.height = std::max(out.height, operand.height + 1);
    out.operands.push_back(std::move(operand));
  }
  return negated ? make(Kind::not_, "", one(std::move(out))) : out;
}

Expression ExpressionParser::subscript(Expression node) {
  if (tokens_.skip_sign(".")) {
    if (tokens_.at(TokenKind::integer)) {
      Expression index;
      index.kind = Kind::integer;
      index.line = tokens_.peek().line;
      index.integer = tokens_.next().integer;
      return binary(Kind::item, "", std::move(node), std::move(index));
    }
    std::string name = tokens_.take_name();
    return make(Kind::attribute, std::move(name), one(std::move(node)));
  }
  tokens_.expect_sign("[");
  Expression out = subscript_item(std::move(node));
  tokens_.expect_sign("]");
  return out;
}

/// [index], or [start:stop:step] with any of them left out.
Expression ExpressionParser::subscript_item(Expression node) {
  Expression nothing;
  nothing.line = tokens_.peek().line;
  std::vector<Expression> parts;
  parts.push_back(std::move(node));
  if (!tokens_.at_sign(":")) {
    Expression index = expression();
    if (!tokens_.at_sign(":")) return binary(Kind::item, "", std::move(parts[0]), std::move(index));
    parts.push_back(std::move(index));
  } else {
    parts.push_back(nothing);
  }
  for (int i = 0; i < 2; ++i) {
    const bool more = tokens_.skip_sign(":");
    const bool empty = !more || tokens_.at_sign(":") || tokens_.at_sign("]");
    parts.push_back(empty ? nothing : expression());
  }
  return make(Kind::slice, "", std::move(parts));
}

Expression ExpressionParser::call(Expression node) {
  Expression out = make(Kind::call, "", one(std::move(node)));
  arguments(out);
  return out;
}

/// "(value, …, name=value, …)" behind `node`.
void ExpressionParser::arguments(Expression& node) {
  tokens_.expect_sign("(");
  while (!tokens_.at_sign(")")) {
    if (tokens_.at_sign("*") || tokens_.at_sign("**"))
      tokens_.refuse("arguments by * and ** are not supported", "write them out");
    const bool keyword =
        tokens_.at(TokenKind::name) && TokenStream::is(tokens_.peek(1), TokenKind::sign, "=");
    if (keyword) {
      node.names.push_back(tokens_.take_name());
      tokens_.next();
    } else if (!node.names.empty()) {
      tokens_.refuse("a positional argument follows one with a name");
    }
    Expression value = expression();
    node.height = std::max(node.height, value.height + 1);
    node.operands.push_back(std::move(value));
    if (!tokens_.skip_sign(",")) break;
  }
  tokens_.expect_sign(")");
  if (node.height > kDeepestSyntax)
    tokens_.refuse("the expression is nested deeper than " + std::to_string(kDeepestSyntax));
}

Target ExpressionParser::target(bool attributes) {
  Target whole;
  const bool bracket = tokens_.skip_sign("(");
  do {
    if (bracket && tokens_.at_sign(")")) break;
    Target part;
    if (tokens_.at_sign("(")) {
      if (++depth_ > kDeepestSyntax)
        tokens_.refuse("the expression is nested deeper than " + std::to_string(kDeepestSyntax));
      part = target(false);
      --depth_;
    } else {
      part.name = tokens_.take_name();
      if (attributes && tokens_.skip_sign(".")) part.attribute = tokens_.take_name();
    }
    whole.parts.push_back(std::move(part));
  } while (tokens_.skip_sign(",") && !tokens_.at_name("in") && !tokens_.at_sign("="));
  if (bracket) tokens_.expect_sign(")");
  if (whole.parts.empty()) tokens_.refuse_token("a name");
  return whole.parts.size() == 1 ? Target(whole.parts[0]) : whole;
}

void ExpressionParser::signature(std::vector<std::string>& names,
                                 std::vector<Expression>& defaults) {
  tokens_.expect_sign("(");
  const std::size_t before = defaults.size();
  while (!tokens_.at_sign(")")) {
    names.push_back(tokens_.take_name());
    if (tokens_.skip_sign("=")) {
      defaults.push_back(expression());
    } else if (defaults.size() > before) {
      tokens_.refuse("a parameter without a default follows one that has it");
    }
    if (!tokens_.skip_sign(",")) break;
  }
  tokens_.expect_sign(")");
}

}  // namespace cupel::jinja

#include "data/jinja/expression_parser.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cupel::jinja {
Expression ExpressionParser::make(Kind kind, std::string name, std::vector<Expression> operands) {
  Expression node;
  node.kind = kind;
  node.line = tokens_.peek().line;
  for (const Expression& operand : operands) {
    node.line = std::min(node.line, operand.line);
    node.height = std::max(node.height, operand.height + 1);
  }
  if (node.height > kDeepestSyntax)
    tokens_.refuse("the expression is nested deeper than " + std::to_string(kDeepestSyntax));
  node.name = std::move(name);
  node.operands = std::move(operands);
  return node;
}

Expression ExpressionParser::binary(Kind kind, std::string name, Expression left,
                                    Expression right) {
  std::vector<Expression> operands;
  operands.push_back(std::move(left));
  operands.push_back(std::move(right));
  return make(kind, std::move(name), std::move(operands));
}

Expression ExpressionParser::expression() { return conditional(); }

Expression ExpressionParser::conditional() {
  if (++depth_ > kDeepestSyntax)
    tokens_.refuse("the expression is nested deeper than " + std::to_string(kDeepestSyntax));
  Expression node = logical_or();
  while (tokens_.skip_name("if")) {
    Expression condition = logical_or();
    node = binary(Kind::conditional, "", std::move(condition), std::move(node));
    if (tokens_.skip_name("else")) {
      Expression other = conditional();
      node.height = std::max(node.height, other.height + 1);
      node.operands.push_back(std::move(other));
    }
  }
  --depth_;
  return node;
}

Expression ExpressionParser::logical_or() {
  Expression node = logical_and();
  while (tokens_.skip_name("or")) node = binary(Kind::or_, "", std::move(node), logical_and());
  return node;
}

Expression ExpressionParser::logical_and() {
  Expression node = logical_not();
  while (tokens_.skip_name("and")) node = binary(Kind::and_, "", std::move(node), logical_not());
  return node;
}

Expression ExpressionParser::logical_not() {
  int times = 0;
  while (tokens_.skip_name("not")) ++times;
  Expression node = compare();
  for (; times > 0; --times) {
    std::vector<Expression> operands;
    operands.push_back(std::move(node));
    node = make(Kind::not_, "", std::move(operands));
  }
  return node;
}

Expression ExpressionParser::compare() {
  constexpr std::array<std::string_view, 6> kOperators{"==", "!=", "<", ">", "<=", ">="};
  std::vector<Expression> operands;
  std::vector<std::string> names;
  operands.push_back(sum());
  while (true) {
    const Token& token = tokens_.peek();
    const bool known = token.kind == TokenKind::sign &&
                       std::ranges::find(kOperators, token.text) != kOperators.end();
    if (known || tokens_.at_name("in")) {
      names.push_back(tokens_.next().text);
    } else if (tokens_.at_name("not") && tokens_.peek(1).kind == TokenKind::name &&
               tokens_.peek(1).text == "in") {
      tokens_.next();
      tokens_.next();
      names.emplace_back("not in");
    } else {
      break;
    }
    operands.push_back(sum());
  }
  if (names.empty()) return std::move(operands[0]);
  Expression node = make(Kind::compare, "", std::move(operands));
  node.names = std::move(names);
  return node;
}

Expression ExpressionParser::sum() {
  Expression node = concatenation();
  while (tokens_.at_sign("+") || tokens_.at_sign("-")) {
    std::string name = tokens_.next().text;
    node = binary(Kind::arithmetic, std::move(name), std::move(node), concatenation());
  }
  return node;
}

Expression ExpressionParser::concatenation() {
  std::vector<Expression> operands;
  operands.push_back(product());
  while (tokens_.skip_sign("~")) operands.push_back(product());
  if (operands.size() == 1) return std::move(operands[0]);
  return make(Kind::concatenate, "", std::move(operands));
}

Expression ExpressionParser::product() {
  constexpr std::array<std::string_view, 4> kOperators{"*", "/", "//", "%"};
  Expression node = power();
  while (std::ranges::any_of(kOperators, [&](auto sign) { return tokens_.at_sign(sign); })) {
    std::string name = tokens_.next().text;
    node = binary(Kind::arithmetic, std::move(name), std::move(node), power());
  }
  return node;
}

Expression ExpressionParser::power() {
  Expression node = unary(true);
  while (tokens_.skip_sign("**"))
    node = binary(Kind::arithmetic, "**", std::move(node), unary(true));
  return node;
}

Expression ExpressionParser::unary(bool with_filter) {
  std::vector<Kind> signs;
  while (tokens_.at_sign("-") || tokens_.at_sign("+")) {
    signs.push_back(tokens_.next().text == "-" ? Kind::negation : Kind::identity);
    if (signs.size() > kDeepestSyntax) tokens_.refuse("too many signs before one value");
  }
  Expression node = postfix(primary());
  for (; !signs.empty(); signs.pop_back()) {
    std::vector<Expression> operands;
    operands.push_back(std::move(node));
    node = make(signs.back(), "", std::move(operands));
    node = postfix(std::move(node));
  }
  return with_filter ? filters(std::move(node)) : node;
}

Expression ExpressionParser::primary() {
  const Token token = tokens_.peek();
  Expression node;
  node.line = token.line;
  switch (token.kind) {
    case TokenKind::name:
      node.kind = Kind::name;
      if (token.text == "true" || token.text == "True" || token.text == "false" ||
          token.text == "False") {
        node.kind = Kind::boolean;
        node.integer = token.text[0] == 't' || token.text[0] == 'T';
      } else if (token.text == "none" || token.text == "None") {
        node.kind = Kind::none;
      }
      node.name = tokens_.next().text;
      return node;
    case TokenKind::string:
      node.kind = Kind::string;
      while (tokens_.at(TokenKind::string)) node.name += tokens_.next().text;
      return node;
    case TokenKind::integer:
      node.kind = Kind::integer;
      node.integer = tokens_.next().integer;
      return node;
    case TokenKind::number:
      node.kind = Kind::number;
      node.number = tokens_.next().number;
      return node;
    default:
      break;
  }
  if (tokens_.skip_sign("(")) {
    node = tuple(true, true);
    tokens_.expect_sign(")");
    return node;
  }
  if (tokens_.skip_sign("[")) return list();
  if (tokens_.skip_sign("{")) return dict();
  tokens_.refuse_token("a value");
}

bool ExpressionParser::ends_tuple() const {
  const TokenKind kind = tokens_.peek().kind;
  return kind == TokenKind::variable_end || kind == TokenKind::block_end || tokens_.at_sign(")");
}

Expression ExpressionParser::tuple(bool with_conditional, bool explicit_parentheses) {
  std::vector<Expression> values;
  bool is_tuple = false;
  while (!ends_tuple()) {
    // A nested bracket comes here: conditional() counts the depth of either.
    values.push_back(with_conditional ? conditional() : logical_or());
    if (!tokens_.skip_sign(",")) break;
    is_tuple = true;
  }
  if (!is_tuple && !values.empty()) return std::move(values[0]);
  if (values.empty() && !explicit_parentheses) tokens_.refuse_token("a value");
  return make(Kind::tuple, "", std::move(values));
}

Expression ExpressionParser::list() {
  std::vector<Expression> values;
  while (!tokens_.at_sign("]")) {
    values.push_back(expression());
    if (!tokens_.skip_sign(",")) break;
  }
  tokens_.expect_sign("]");
  return make(Kind::list, "", std::move(values));
}

Expression ExpressionParser::dict() {
  std::vector<Expression> values;
  while (!tokens_.at_sign("}")) {
    values.push_back(expression());
    tokens_.expect_sign(":");
    values.push_back(expression());
    if (!tokens_.skip_sign(",")) break;
  }
  tokens_.expect_sign("}");
  return make(Kind::dict, "", std::move(values));
}

}  // namespace cupel::jinja

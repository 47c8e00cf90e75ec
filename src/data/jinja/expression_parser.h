// Tokens → expressions, with the precedence of jinja2.
#pragma once

#include <string>
#include <vector>

#include "data/jinja/syntax.h"
#include "data/jinja/token_stream.h"

namespace cupel::jinja {

/// Expressions and blocks nest no deeper.
constexpr int kDeepestSyntax = 100;

class ExpressionParser {
 public:
  using Kind = Expression::Kind;

  explicit ExpressionParser(TokenStream& tokens) : tokens_(tokens) {}

  Expression expression();
  /// Without "… if … else …", as in {% if %} and {% for %}, where `if` means something else.
  Expression unconditional_tuple() { return tuple(false, false); }
  /// Values with commas between them are a tuple.
  Expression tuple_or_value() { return tuple(true, false); }
  /// "name", "name.attribute" if `attributes`, or several with commas, brackets allowed.
  Target target(bool attributes);
  /// Filters with | between them, on the text of a block.
  Expression filter_chain();
  /// "(a, b=1)"
  void signature(std::vector<std::string>& names, std::vector<Expression>& defaults);

 private:
  Expression conditional();
  Expression logical_or();
  Expression logical_and();
  Expression logical_not();
  Expression compare();
  Expression sum();
  Expression concatenation();
  Expression product();
  Expression power();
  Expression unary(bool with_filter);
  Expression primary();
  Expression tuple(bool with_conditional, bool explicit_parentheses);
  Expression list();
  Expression dict();
  Expression postfix(Expression node);
  Expression filters(Expression node);
  Expression filter(Expression node);
  Expression test(Expression node);
  Expression subscript(Expression node);
  Expression subscript_item(Expression node);
  Expression call(Expression node);
  void arguments(Expression& node);
  Expression binary(Expression::Kind kind, std::string name, Expression left, Expression right);
  Expression make(Expression::Kind kind, std::string name, std::vector<Expression> operands);
  bool ends_tuple() const;

  TokenStream& tokens_;
  int depth_ = 0;
};

}  // namespace cupel::jinja

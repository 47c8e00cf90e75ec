#include "data/jinja/parser.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "data/jinja/expression_parser.h"

namespace cupel::jinja {
namespace {

using Ends = std::span<const std::string_view>;

class Parser {
 public:
  explicit Parser(TokenStream& tokens) : tokens_(tokens), expressions_(tokens) {}

  /// Up to a tag {% end … %} of `ends`, whose name is taken and returned in `end`.
  Body body(Ends ends, std::string* end) {
    if (++depth_ > kDeepestSyntax)
      tokens_.refuse("blocks are nested deeper than " + std::to_string(kDeepestSyntax));
    Body out;
    while (true) {
      if (tokens_.at(TokenKind::end)) {
        if (!ends.empty()) refuse_open(ends);
        break;
      }
      if (tokens_.at(TokenKind::text)) {
        out.push_back(begin(Statement::Kind::text));
        out.back().text = tokens_.next().text;
      } else if (tokens_.at(TokenKind::variable_begin)) {
        out.push_back(print());
      } else {
        tokens_.next();  // {%
        const std::string& name = tokens_.peek().text;
        if (tokens_.at(TokenKind::name) && std::ranges::find(ends, name) != ends.end()) {
          *end = tokens_.next().text;
          break;
        }
        out.push_back(statement());
      }
    }
    --depth_;
    return out;
  }

 private:
  [[noreturn]] void refuse_open(Ends ends) const {
    tokens_.refuse("the template ends before {% " + std::string(ends.back()) + " %}",
                   "close the block");
  }

  Statement begin(Statement::Kind kind) const {
    Statement out;
    out.kind = kind;
    out.line = tokens_.peek().line;
    return out;
  }

  void end_tag() { tokens_.expect(TokenKind::block_end, "%}"); }

  Body body_until(std::string_view end) {
    const std::array<std::string_view, 1> ends{end};
    std::string found;
    Body out = body(ends, &found);
    end_tag();
    return out;
  }

  Statement print() {
    tokens_.next();
    Statement out = begin(Statement::Kind::print);
    out.values.push_back(expressions_.tuple_or_value());
    tokens_.expect(TokenKind::variable_end, "}}");
    return out;
  }

  Statement statement() {
    const std::string name = tokens_.peek().text;
    if (!tokens_.at(TokenKind::name)) tokens_.refuse_token("a statement");
    if (name == "for") return for_loop();
    if (name == "if") return if_chain();
    if (name == "set") return set();
    if (name == "macro") return macro();
    if (name == "call") return call_block();
    if (name == "filter") return filter_block();
    if (name == "with") return with();
    if (name == "generation") return simple(Statement::Kind::generation, "endgeneration");
    if (name == "break") return loop_control(Statement::Kind::break_);
    if (name == "continue") return loop_control(Statement::Kind::continue_);
    tokens_.refuse("unknown statement \"" + name + "\"",
                   "known: for, if, set, macro, call, filter, with, raw, generation, break, "
                   "continue");
  }

  Statement loop_control(Statement::Kind kind) {
    Statement out = begin(kind);
    if (loops_ == 0) tokens_.refuse("break and continue stand outside of a for loop");
    tokens_.next();
    end_tag();
    return out;
  }

  Statement simple(Statement::Kind kind, std::string_view end) {
    Statement out = begin(kind);
    tokens_.next();
    end_tag();
    out.bodies.push_back(outside_loops(end));
    return out;
  }

  /// A block whose text is kept first: break and continue do not lead out of it.
  Body outside_loops(std::string_view end) {
    const int loops = std::exchange(loops_, 0);
    Body out = body_until(end);
    loops_ = loops;
    return out;
  }

  Statement for_loop() {
    constexpr std::array<std::string_view, 2> kEnds{"else", "endfor"};
    Statement out = begin(Statement::Kind::for_loop);
    tokens_.next();
    out.target = expressions_.target(false);
    tokens_.expect_name("in");
    out.values.push_back(expressions_.unconditional_tuple());
    if (tokens_.skip_name("if")) out.values.push_back(expressions_.expression());
    if (tokens_.at_name("recursive"))
      tokens_.refuse("a for loop that is recursive is not supported", "use a macro");
    end_tag();
    std::string end;
    ++loops_;
    out.bodies.push_back(body(kEnds, &end));
    --loops_;
    end_tag();
    if (end == "else") out.bodies.push_back(body_until("endfor"));
    return out;
  }

  Statement if_chain() {
    constexpr std::array<std::string_view, 3> kEnds{"elif", "else", "endif"};
    Statement out = begin(Statement::Kind::if_chain);
    std::string end = "elif";
    tokens_.next();
    while (end == "elif") {
      out.values.push_back(expressions_.unconditional_tuple());
      end_tag();
      out.bodies.push_back(body(kEnds, &end));
      if (end != "elif") end_tag();
    }
    if (end == "else") out.bodies.push_back(body_until("endif"));
    return out;
  }

  Statement set() {
    Statement out = begin(Statement::Kind::set);
    tokens_.next();
    out.target = expressions_.target(true);
    if (tokens_.skip_sign("=")) {
      out.values.push_back(expressions_.tuple_or_value());
      end_tag();
      return out;
    }
    out.kind = Statement::Kind::set_block;
    if (tokens_.skip_sign("|")) out.values.push_back(expressions_.filter_chain());
    end_tag();
    out.bodies.push_back(outside_loops("endset"));
    return out;
  }

  Statement macro() {
    Statement out = begin(Statement::Kind::macro);
    tokens_.next();
    out.target.name = tokens_.take_name();
    expressions_.signature(out.names, out.values);
    end_tag();
    out.bodies.push_back(outside_loops("endmacro"));
    return out;
  }

  Statement call_block() {
    Statement out = begin(Statement::Kind::call_block);
    tokens_.next();
    std::vector<Expression> defaults;
    if (tokens_.at_sign("(")) expressions_.signature(out.names, defaults);
    out.values.push_back(expressions_.expression());
    if (out.values[0].kind != Expression::Kind::call)
      tokens_.refuse("{% call %} needs the call of a macro");
    for (Expression& value : defaults) out.values.push_back(std::move(value));
    end_tag();
    out.bodies.push_back(outside_loops("endcall"));
    return out;
  }

  Statement filter_block() {
    Statement out = begin(Statement::Kind::filter_block);
    tokens_.next();
    out.values.push_back(expressions_.filter_chain());
    end_tag();
    out.bodies.push_back(outside_loops("endfilter"));
    return out;
  }

  Statement with() {
    Statement out = begin(Statement::Kind::with);
    tokens_.next();
    while (!tokens_.at(TokenKind::block_end)) {
      out.names.push_back(tokens_.take_name());
      tokens_.expect_sign("=");
      out.values.push_back(expressions_.expression());
      if (!tokens_.skip_sign(",")) break;
    }
    end_tag();
    out.bodies.push_back(body_until("endwith"));
    return out;
  }

  TokenStream& tokens_;
  ExpressionParser expressions_;
  int depth_ = 0;
  int loops_ = 0;  // around the current statement
};

}  // namespace

Body parse(std::string_view source, const std::string& where) {
  TokenStream tokens(tokenize(source, where), where);
  return Parser(tokens).body({}, nullptr);
}

}  // namespace cupel::jinja

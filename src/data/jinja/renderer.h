// Walks the tree of a template with its variables: the inside of Template::render.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "data/jinja/arguments.h"
#include "data/jinja/syntax.h"
#include "data/jinja/template.h"

namespace cupel::jinja {

/// Names that a part of a template has set; what it lacks is looked for further out.
struct Scope {
  Scope* outer = nullptr;
  std::vector<std::pair<std::string_view, Value>> names{};
};

class Renderer {
 public:
  Renderer(Machine& machine, const RenderOptions& options) : machine_(machine), options_(options) {}

  /// `variables` is an object that outlives the renderer.
  Rendered render(const Body& body, const json::Value& variables);

 private:
  enum class Flow { on, next_item, leave_loop };

  // Statements: renderer.cpp
  Flow execute(const Body& body);
  Flow execute(const Statement& statement);
  Flow execute_if(const Statement& statement);
  Flow execute_for(const Statement& statement);
  void execute_with(const Statement& statement);
  void execute_generation(const Statement& statement);
  void execute_call(const Statement& statement);
  List loop_items(const Statement& statement);
  std::string capture(const Body& body);
  Value captured_value(const Statement& statement);
  void assign(const Target& target, const Value& value);
  void append(std::string_view text);
  Value from_json(const json::Value& value);

  // Expressions: evaluate.cpp
  Value evaluate(const Expression& node);
  Value evaluate_literal(const Expression& node) const;
  Value evaluate_logic(const Expression& node);
  Value evaluate_sequence(const Expression& node);
  Value evaluate_compare(const Expression& node);
  Value concatenate(const Expression& node);
  Value lookup(const std::string& name);

  // Calls: calls.cpp
  Value evaluate_call(const Expression& node, const std::optional<Value>& caller);
  Arguments evaluate_arguments(const Expression& node);
  Value call_macro(const Function& function, Arguments arguments,
                   const std::optional<Value>& caller);
  Value strftime_now(const Arguments& arguments);
  std::vector<std::optional<Value>> bind_macro(const Statement& macro, Arguments& arguments);

  Scope& enter(Scope* outer);

  Machine& machine_;
  const RenderOptions& options_;
  std::deque<Scope> scopes_;
  Scope* scope_ = nullptr;
  Rendered out_;
  std::string* text_ = nullptr;  // what is being written: out_.text, or what is captured
  Value captured_{};             // for the filter chain of a block
  int64_t loop_depth_ = 0;
};

}  // namespace cupel::jinja

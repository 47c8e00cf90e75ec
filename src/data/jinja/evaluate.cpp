#include "data/jinja/filters.h"
#include "data/jinja/methods.h"
#include "data/jinja/operators.h"
#include "data/jinja/renderer.h"
#include "data/jinja/write.h"

namespace cupel::jinja {

Value Renderer::lookup(const std::string& name) {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    machine_.spend(1 + scope->names.size() / 16);
    for (const auto& [known, value] : scope->names) {
      if (known == name) return value;
    }
  }
  if (const auto function = function_of(name))
    return machine_.function({Function::Of::global, *function});
  if (name == "strftime_now" && options_.time)
    return machine_.function({Function::Of::global, "strftime_now"});
  return machine_.undefined("\"" + name + "\" is undefined");
}

Value Renderer::evaluate_sequence(const Expression& node) {
  List values;
  for (const Expression& operand : node.operands) values.push_back(evaluate(operand));
  if (node.kind == Expression::Kind::list) return machine_.list(std::move(values));
  if (node.kind == Expression::Kind::tuple) return machine_.tuple(std::move(values));
  Pairs pairs;
  for (std::size_t i = 0; i < values.size(); i += 2)
    set_pair(machine_, pairs, values[i], values[i + 1]);
  return machine_.dict(std::move(pairs));
}

Value Renderer::concatenate(const Expression& node) {
  std::string out;
  for (const Expression& operand : node.operands) out += to_text(machine_, evaluate(operand));
  return machine_.string(std::move(out));
}

/// a < b < c: each neighbour, from the left, up to the first that fails.
Value Renderer::evaluate_compare(const Expression& node) {
  Value left = evaluate(node.operands[0]);
  for (std::size_t i = 0; i < node.names.size(); ++i) {
    const Value right = evaluate(node.operands[i + 1]);
    if (!compare(machine_, left, node.names[i], right)) return Value::of(false);
    left = right;
  }
  return Value::of(true);
}

/// What stands for itself.
Value Renderer::evaluate_literal(const Expression& node) const {
  using Of = Expression::Kind;
  switch (node.kind) {
    case Of::boolean:
      return Value::of(node.integer != 0);
    case Of::integer:
      return Value::of(node.integer);
    case Of::number:
      return Value::of(node.number);
    case Of::string:
      return Value::of(&node.name);
    case Of::captured:
      return captured_;
    default:
      return Value::of_none();
  }
}

/// not, and, or, if: the operands that count, and no others.
Value Renderer::evaluate_logic(const Expression& node) {
  const Value first = evaluate(node.operands[0]);
  switch (node.kind) {
    case Expression::Kind::not_:
      return Value::of(!is_true(first));
    case Expression::Kind::and_:
      return is_true(first) ? evaluate(node.operands[1]) : first;
    case Expression::Kind::or_:
      return is_true(first) ? first : evaluate(node.operands[1]);
    default:
      if (is_true(first)) return evaluate(node.operands[1]);
      if (node.operands.size() > 2) return evaluate(node.operands[2]);
      return machine_.undefined("an \"if\" without \"else\" gave no value");
  }
}

Value Renderer::evaluate(const Expression& node) {
  using Of = Expression::Kind;
  const Deeper deeper(machine_);
  machine_.spend(1);
  machine_.line = node.line;
  const auto operand = [&](std::size_t i) { return evaluate(node.operands[i]); };
  switch (node.kind) {
    case Of::name:
      return lookup(node.name);
    case Of::list:
    case Of::tuple:
    case Of::dict:
      return evaluate_sequence(node);
    case Of::attribute:
      return attribute(machine_, operand(0), node.name);
    case Of::item: {
      const Value whole = operand(0);
      return item(machine_, whole, operand(1));
    }
    case Of::slice: {
      const Value whole = operand(0), start = operand(1), stop = operand(2);
      return slice(machine_, whole, start, stop, operand(3));
    }
    case Of::call:
      return evaluate_call(node, std::nullopt);
    case Of::filter: {
      const Value input = operand(0);
      return apply_filter(machine_, node.name, input, evaluate_arguments(node));
    }
    case Of::test: {
      const Value input = operand(0);
      return Value::of(apply_test(machine_, node.name, input, evaluate_arguments(node)));
    }
    case Of::negation:
      return negate(machine_, operand(0));
    case Of::identity:
      return negate(machine_, negate(machine_, operand(0)));
    case Of::not_:
    case Of::and_:
    case Of::or_:
    case Of::conditional:
      return evaluate_logic(node);
    case Of::arithmetic: {
      const Value left = operand(0);
      return arithmetic(machine_, left, node.name, operand(1));
    }
    case Of::concatenate:
      return concatenate(node);
    case Of::compare:
      return evaluate_compare(node);
    default:
      return evaluate_literal(node);
  }
}

}  // namespace cupel::jinja

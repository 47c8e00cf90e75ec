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

Value Renderer::evaluate(const Expression& node) {
  using Of = Expression::Kind;
  const Deeper deeper(machine_);
  machine_.spend(1);
  machine_.line = node.line;
  const auto operand = [&](std::size_t i) { return evaluate(node.operands[i]); };
  switch (node.kind) {
    case Of::none:
      return Value::of_none();
    case Of::boolean:
      return Value::of(node.integer != 0);
    case Of::integer:
      return Value::of(node.integer);
    case Of::number:
      return Value::of(node.number);
    case Of::string:
      return Value::of(&node.name);
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
    case Of::captured:
      return captured_;
    case Of::negation:
      return negate(machine_, operand(0));
    case Of::identity:
      return negate(machine_, negate(machine_, operand(0)));
    case Of::not_:
      return Value::of(!is_true(operand(0)));
    case Of::and_: {
      const Value left = operand(0);
      return is_true(left) ? operand(1) : left;
    }
    case Of::or_: {
      const Value left = operand(0);
      return is_true(left) ? left : operand(1);
    }
    case Of::arithmetic: {
      const Value left = operand(0);
      return arithmetic(machine_, left, node.name, operand(1));
    }
    case Of::concatenate:
      return concatenate(node);
    case Of::compare:
      return evaluate_compare(node);
    case Of::conditional:
      if (is_true(operand(0))) return operand(1);
      if (node.operands.size() > 2) return operand(2);
      return machine_.undefined("an \"if\" without \"else\" gave no value");
  }
  return Value::of_none();
}

}  // namespace cupel::jinja

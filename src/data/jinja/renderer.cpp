#include "data/jinja/renderer.h"

#include "data/jinja/methods.h"
#include "data/jinja/operators.h"
#include "data/jinja/write.h"

namespace cupel::jinja {

Scope& Renderer::enter(Scope* outer) {
  machine_.take_memory(sizeof(Scope));
  return scopes_.emplace_back(Scope{outer});
}

Value Renderer::from_json(const json::Value& value) {
  const Deeper deeper(machine_);
  machine_.spend(1);
  constexpr std::string_view kWhere = "variable";
  if (value.is_null()) return Value::of_none();
  if (value.is_bool()) return Value::of(value.as_bool(kWhere));
  if (value.is_int()) return Value::of(value.as_int(kWhere));
  if (value.is_number()) return Value::of(value.as_double(kWhere));
  if (value.is_string()) return Value::of(&value.as_string(kWhere));
  if (value.is_array()) {
    List items;
    for (const json::Value& item : value.as_array(kWhere)) items.push_back(from_json(item));
    return machine_.list(std::move(items));
  }
  Pairs pairs;
  for (const auto& [key, member] : value.as_object(kWhere))
    pairs.emplace_back(Value::of(&key), from_json(member));
  return machine_.dict(std::move(pairs));
}

Rendered Renderer::render(const Body& body, const json::Value& variables) {
  scope_ = &enter(nullptr);
  for (const auto& [name, value] : variables.as_object("variables"))
    scope_->names.emplace_back(name, from_json(value));
  scope_ = &enter(scope_);  // what the template sets
  text_ = &out_.text;
  try {
    execute(body);
  } catch (const Refusal& refusal) {
    Rendered refused;
    refused.refusal = refusal.message;
    return refused;
  }
  return std::move(out_);
}

void Renderer::append(std::string_view text) {
  machine_.spend_bytes(text.size());
  if (text.size() > machine_.limits().output - text_->size()) {
    machine_.refuse(
        "the template writes more than " + std::to_string(machine_.limits().output >> 20) + " MiB",
        "use a template that does less");
  }
  *text_ += text;
}

std::string Renderer::capture(const Body& body) {
  std::string text;
  std::string* outer = std::exchange(text_, &text);
  execute(body);
  text_ = outer;
  return text;
}

Renderer::Flow Renderer::execute(const Body& body) {
  const Deeper deeper(machine_);
  for (const Statement& statement : body) {
    const Flow flow = execute(statement);
    if (flow != Flow::on) return flow;
  }
  return Flow::on;
}

Renderer::Flow Renderer::execute(const Statement& statement) {
  machine_.line = statement.line;
  machine_.spend(1);
  switch (statement.kind) {
    case Statement::Kind::text:
      append(statement.text);
      break;
    case Statement::Kind::print: {
      const Value value = evaluate(statement.values[0]);
      append(value.is(Kind::string) ? *value.text : to_text(machine_, value));
      break;
    }
    case Statement::Kind::for_loop:
      return execute_for(statement);
    case Statement::Kind::if_chain:
      return execute_if(statement);
    case Statement::Kind::set:
      assign(statement.target, evaluate(statement.values[0]));
      break;
    case Statement::Kind::set_block:
      assign(statement.target, captured_value(statement));
      break;
    case Statement::Kind::macro:
      assign(
          statement.target,
          machine_.function({Function::Of::macro, statement.target.name, {}, &statement, scope_}));
      break;
    case Statement::Kind::call_block:
      execute_call(statement);
      break;
    case Statement::Kind::filter_block:
      append(to_text(machine_, captured_value(statement)));
      break;
    case Statement::Kind::with:
      execute_with(statement);
      break;
    case Statement::Kind::generation:
      execute_generation(statement);
      break;
    case Statement::Kind::break_:
      return Flow::leave_loop;
    case Statement::Kind::continue_:
      return Flow::next_item;
  }
  return Flow::on;
}

Renderer::Flow Renderer::execute_if(const Statement& statement) {
  for (std::size_t i = 0; i < statement.values.size(); ++i) {
    if (is_true(evaluate(statement.values[i]))) return execute(statement.bodies[i]);
  }
  const bool has_else = statement.bodies.size() > statement.values.size();
  return has_else ? execute(statement.bodies.back()) : Flow::on;
}

/// The items of a for loop that its `if` lets through.
List Renderer::loop_items(const Statement& statement) {
  const List& all = items_of(machine_, evaluate(statement.values[0]));
  if (statement.values.size() == 1) return all;
  List kept;
  Scope* outer = std::exchange(scope_, &enter(scope_));
  for (const Value& item : all) {
    scope_->names.clear();
    assign(statement.target, item);
    if (is_true(evaluate(statement.values[1]))) kept.push_back(item);
  }
  scope_ = outer;
  return kept;
}

Renderer::Flow Renderer::execute_for(const Statement& statement) {
  const Value items = machine_.list(loop_items(statement));
  if (items.items->empty())
    return statement.bodies.size() > 1 ? execute(statement.bodies[1]) : Flow::on;
  Loop& loop = machine_.loop();
  loop.items = items.items;
  loop.depth = ++loop_depth_;
  Scope* outer = std::exchange(scope_, &enter(scope_));
  for (; loop.index < items.items->size(); ++loop.index) {
    scope_->names.clear();
    scope_->names.emplace_back("loop", Machine::of_loop(loop));
    assign(statement.target, (*items.items)[loop.index]);
    if (execute(statement.bodies[0]) == Flow::leave_loop) break;
  }
  // A loop that is kept beyond its end stands at its last item.
  if (loop.index == items.items->size()) --loop.index;
  scope_ = outer;
  --loop_depth_;
  return Flow::on;
}

void Renderer::execute_with(const Statement& statement) {
  std::vector<Value> values;
  for (const Expression& value : statement.values) values.push_back(evaluate(value));
  Scope* outer = std::exchange(scope_, &enter(scope_));
  for (std::size_t i = 0; i < values.size(); ++i)
    scope_->names.emplace_back(statement.names[i], values[i]);
  execute(statement.bodies[0]);
  scope_ = outer;
}

void Renderer::execute_generation(const Statement& statement) {
  if (text_ != &out_.text)
    machine_.refuse("{% generation %} stands inside of a macro or a block whose text is kept",
                    "let it stand at the top or in for and if");
  const std::size_t begin = text_->size();
  Scope* outer = std::exchange(scope_, &enter(scope_));
  execute(statement.bodies[0]);
  scope_ = outer;
  if (text_->size() > begin) out_.generated.push_back({begin, text_->size()});
}

void Renderer::execute_call(const Statement& statement) {
  const Value caller = machine_.function({Function::Of::macro, "caller", {}, &statement, scope_});
  const Value text = evaluate_call(statement.values[0], caller);
  append(to_text(machine_, text));
}

/// The text of a block, through the filters that stand on it.
Value Renderer::captured_value(const Statement& statement) {
  Scope* outer = std::exchange(scope_, &enter(scope_));
  const Value text = machine_.string(capture(statement.bodies[0]));
  scope_ = outer;
  if (statement.values.empty()) return text;
  captured_ = text;
  return evaluate(statement.values[0]);
}

void Renderer::assign(const Target& target, const Value& value) {
  if (!target.parts.empty()) {
    const List& items = items_of(machine_, value);
    if (items.size() != target.parts.size())
      machine_.refuse("cannot unpack " + std::to_string(items.size()) + " values into " +
                      std::to_string(target.parts.size()));
    for (std::size_t i = 0; i < items.size(); ++i) assign(target.parts[i], items[i]);
    return;
  }
  if (!target.attribute.empty()) {
    const Value space = lookup(target.name);
    if (!space.is(Kind::space))
      machine_.refuse("cannot set an attribute of \"" + target.name + "\"",
                      "make it by namespace()");
    for (auto& [name, member] : space.space->members) {
      if (name != target.attribute) continue;
      member = value;
      return;
    }
    machine_.take_memory(sizeof(Value) + sizeof(std::string));
    space.space->members.emplace_back(target.attribute, value);
    return;
  }
  for (auto& [name, old] : scope_->names) {
    if (name != target.name) continue;
    old = value;
    return;
  }
  scope_->names.emplace_back(target.name, value);
}

}  // namespace cupel::jinja

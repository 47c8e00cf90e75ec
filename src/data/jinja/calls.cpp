#include <algorithm>
#include <ctime>

#include "data/jinja/methods.h"
#include "data/jinja/renderer.h"

namespace cupel::jinja {

/// The operands behind the first one.
Arguments Renderer::evaluate_arguments(const Expression& node) {
  Arguments out;
  const std::size_t named = node.operands.size() - node.names.size();
  for (std::size_t i = 1; i < node.operands.size(); ++i) {
    const Value value = evaluate(node.operands[i]);
    if (i < named) {
      out.positional.push_back(value);
    } else {
      out.named.emplace_back(node.names[i - named], value);
    }
  }
  return out;
}

Value Renderer::evaluate_call(const Expression& node, const std::optional<Value>& caller) {
  const Value callee = evaluate(node.operands[0]);
  const Arguments arguments = evaluate_arguments(node);
  machine_.line = node.line;
  if (callee.is(Kind::undefined)) machine_.refuse(*callee.text, "it cannot be called");
  if (!callee.is(Kind::function))
    machine_.refuse("\"" + std::string(type_name(callee)) + "\" cannot be called");
  const Function& function = *callee.function;
  if (function.of == Function::Of::macro) return call_macro(function, arguments, caller);
  if (caller) machine_.refuse("{% call %} needs the call of a macro");
  if (function.of == Function::Of::method)
    return call_method(machine_, function.self, function.name, arguments);
  if (function.name == "strftime_now") return strftime_now(arguments);
  return call_function(machine_, function.name, arguments);
}

/// A value for each parameter, nothing where a default stands; what has none is undefined.
std::vector<std::optional<Value>> Renderer::bind_macro(const Statement& macro,
                                                       Arguments& arguments) {
  std::string parameters;
  for (const std::string& name : macro.names) parameters += name + " ";
  return bind_arguments(machine_,
                        macro.kind == Statement::Kind::macro ? macro.target.name : "caller",
                        arguments, parameters);
}

Value Renderer::call_macro(const Function& function, Arguments arguments,
                           const std::optional<Value>& caller) {
  const Deeper deeper(machine_);
  const auto& macro = *static_cast<const Statement*>(function.macro);
  const std::vector<std::optional<Value>> values = bind_macro(macro, arguments);
  // The first value of a call block is the call itself.
  const std::size_t begin = macro.kind == Statement::Kind::call_block ? 1 : 0;
  const std::size_t defaults = macro.values.size() - begin;
  Scope* outer = std::exchange(scope_, &enter(static_cast<Scope*>(function.scope)));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t without = values.size() - defaults;
    Value value;
    if (values[i]) {
      value = *values[i];
    } else if (i >= without) {
      value = evaluate(macro.values[begin + i - without]);
    } else {
      value = machine_.undefined("parameter \"" + macro.names[i] + "\" was not given");
    }
    scope_->names.emplace_back(macro.names[i], value);
  }
  if (caller) scope_->names.emplace_back("caller", *caller);
  const int64_t loops = std::exchange(loop_depth_, 0);
  const Value text = machine_.string(capture(macro.bodies[0]));
  loop_depth_ = loops;
  scope_ = outer;
  return text;
}

Value Renderer::strftime_now(const Arguments& arguments) {
  const Bound bound = bind_arguments(machine_, "strftime_now", arguments, "format", 1);
  const std::string none;
  const std::string& format = text_argument(machine_, bound[0], none);
  constexpr std::size_t kLongest = 1000;
  if (format.size() > kLongest) machine_.refuse("strftime_now: the format is too long");
  const std::time_t time = *options_.time;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char buffer[16 * kLongest];
  const std::size_t size = std::strftime(buffer, sizeof buffer, format.c_str(), &parts);
  return machine_.string(std::string(buffer, size));
}

}  // namespace cupel::jinja

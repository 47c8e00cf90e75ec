#include "data/jinja/machine.h"

#include "base/error.h"

namespace cupel::jinja {
namespace {

constexpr std::string_view kSimpler = "use a template that does less";

}  // namespace

void Machine::refuse(std::string text, std::string hint) const {
  fail(ErrorKind::data, where_ + ":" + std::to_string(line), std::move(text), std::move(hint));
}

void Machine::spend(std::size_t steps) {
  steps_ += static_cast<int64_t>(steps);
  if (steps_ > limits_.steps) {
    refuse("the template takes more than " + std::to_string(limits_.steps) + " steps",
           std::string(kSimpler));
  }
}

void Machine::take_memory(std::size_t bytes) {
  spend_bytes(bytes);
  memory_ += bytes;
  if (memory_ > limits_.memory) {
    refuse(
        "the template makes more than " + std::to_string(limits_.memory >> 20) + " MiB of values",
        std::string(kSimpler));
  }
}

Value Machine::string(std::string text) {
  take_memory(sizeof(std::string) + text.size());
  return Value::of(&strings_.emplace_back(std::move(text)));
}

Value Machine::undefined(std::string what) {
  take_memory(sizeof(std::string) + what.size());
  return Value::of(&strings_.emplace_back(std::move(what)), Kind::undefined);
}

Value Machine::sequence(List items, Kind kind) {
  take_memory(sizeof(List) + items.size() * sizeof(Value));
  spend(items.size());
  Value value;
  value.kind = kind;
  value.items = &lists_.emplace_back(std::move(items));
  return value;
}

Value Machine::dict(Pairs pairs) {
  take_memory(sizeof(Pairs) + pairs.size() * 2 * sizeof(Value));
  spend(pairs.size());
  Value value;
  value.kind = Kind::dict;
  value.pairs = &dicts_.emplace_back(std::move(pairs));
  return value;
}

Value Machine::space(Namespace members) {
  take_memory(sizeof(Namespace) + members.members.size() * sizeof(members.members[0]));
  Value value;
  value.kind = Kind::space;
  value.space = &spaces_.emplace_back(std::move(members));
  return value;
}

Value Machine::function(Function function) {
  take_memory(sizeof(Function));
  Value value;
  value.kind = Kind::function;
  value.function = &functions_.emplace_back(function);
  return value;
}

Loop& Machine::loop() {
  take_memory(sizeof(Loop));
  return loops_.emplace_back();
}

Value Machine::of_loop(const Loop& loop) {
  Value value;
  value.kind = Kind::loop;
  value.loop = &loop;
  return value;
}

Deeper::Deeper(Machine& machine) : machine_(machine) {
  if (++machine_.depth > machine_.limits().depth) {
    --machine_.depth;
    machine_.refuse("nested deeper than " + std::to_string(machine_.limits().depth),
                    "does a macro call itself?");
  }
}

}  // namespace cupel::jinja

// A template as a tree: what the parser makes and the renderer walks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cupel::jinja {

struct Expression {
  enum class Kind : uint8_t {
    none,
    boolean,
    integer,
    number,
    string,
    name,
    list,
    tuple,
    dict,         // operands: key, value, key, value, …
    attribute,    // operands[0].name
    item,         // operands[0][operands[1]]
    slice,        // operands[0][operands[1]:operands[2]:operands[3]], none where left out
    call,         // operands[0](arguments)
    filter,       // operands[0] | name(arguments)
    test,         // operands[0] is name(arguments)
    captured,     // the text of the block that a filter stands on
    negation,     // -operands[0]
    identity,     // +operands[0]
    not_,         // not operands[0]
    and_,         // operands[0] and operands[1]
    or_,          // operands[0] or operands[1]
    arithmetic,   // operands[0] name operands[1]
    concatenate,  // operands ~ …
    compare,      // operands[0] names[0] operands[1] names[1] …
    conditional   // operands[1] if operands[0] else operands[2], which may be missing
  };
  Kind kind = Kind::none;
  int32_t line = 1;
  int32_t height = 1;   // of the tree below
  std::string name{};   // or the text of a string
  int64_t integer = 0;  // or a boolean
  double number = 0;
  std::vector<Expression> operands{};
  std::vector<std::string> names{};  // keywords of the last operands; operators of a comparison
};

/// What an assignment writes to: a name, a name's attribute, or several of these.
struct Target {
  std::string name{};
  std::string attribute{};
  std::vector<Target> parts{};
};

struct Statement {
  enum class Kind : uint8_t {
    text,
    print,         // values[0]
    for_loop,      // target in values[0] if values[1]: bodies[0], else bodies[1]
    if_chain,      // values[i]: bodies[i]; the last body without one is the else
    set,           // target = values[0]
    set_block,     // target = bodies[0], through values[0]
    macro,         // target(names…): bodies[0]; values are the last names' defaults
    call_block,    // values[0], a call, gets bodies[0] as caller(names…), defaults values[1]…
    filter_block,  // bodies[0] through values[0]
    with,          // names[i] = values[i]: bodies[0]
    generation,    // bodies[0] is what an assistant says
    break_,
    continue_
  };
  Kind kind = Kind::text;
  int32_t line = 1;
  std::string text{};
  Target target{};
  std::vector<Expression> values{};
  std::vector<std::string> names{};
  std::vector<std::vector<Statement>> bodies{};
};

using Body = std::vector<Statement>;

}  // namespace cupel::jinja

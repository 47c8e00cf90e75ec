#include "data/jinja/write.h"

#include <charconv>
#include <cmath>

#include "data/jinja/text.h"
#include "data/unicode.h"

namespace cupel::jinja {
namespace {

void append_hex(std::string& out, uint32_t value, int digits) {
  for (int shift = (digits - 1) * 4; shift >= 0; shift -= 4)
    out += kHexDigits[(value >> shift) & 15];
}

/// A string between quotes; double ones if it holds a single one and no double one.
std::string quoted(const std::string& text) {
  const bool doubled = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = doubled ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_character(text, at);
    constexpr std::string_view kControls = "\n\r\t", kLetters = "nrt";
    const std::size_t control =
        c < 0x80 ? kControls.find(static_cast<char>(c)) : std::string_view::npos;
    if (control != std::string_view::npos) {
      out += {'\\', kLetters[control]};
    } else if (c == '\\' || c == static_cast<char32_t>(quote)) {
      out += {'\\', static_cast<char>(c)};
    } else if (is_printable(c)) {
      out.append(text, begin, at - begin);
    } else {
      out += c < 0x100 ? "\\x" : c < 0x10000 ? "\\u" : "\\U";
      append_hex(out, static_cast<uint32_t>(c), c < 0x100 ? 2 : c < 0x10000 ? 4 : 8);
    }
  }
  return out += quote;
}

std::string sequence_repr(Machine& machine, const Value& value) {
  const bool list = value.is(Kind::list);
  std::string out(1, list ? '[' : '(');
  for (const Value& item : *value.items) {
    if (out.size() > 1) out += ", ";
    out += to_repr(machine, item);
  }
  if (!list && value.items->size() == 1) out += ',';
  return out += list ? ']' : ')';
}

std::string dict_repr(Machine& machine, const Value& value) {
  std::string out = "{";
  for (const auto& [key, member] : *value.pairs) {
    if (out.size() > 1) out += ", ";
    out += to_repr(machine, key) + ": " + to_repr(machine, member);
  }
  return out += '}';
}

std::string space_repr(Machine& machine, const Value& value) {
  std::string out = "<Namespace {";
  for (const auto& [name, member] : value.space->members) {
    if (out.back() != '{') out += ", ";
    out += quoted(name) + ": " + to_repr(machine, member);
  }
  return out += "}>";
}

}  // namespace

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  const double size = std::fabs(value);
  char buffer[64];
  if (value == 0 || (size >= 1e-4 && size < 1e16)) {
    const auto end =
        std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
    std::string out(buffer, end);
    return out.find('.') == std::string::npos ? out + ".0" : out;
  }
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  return std::string(buffer, end);
}

std::string to_repr(Machine& machine, const Value& value) {
  const Deeper deeper(machine);
  machine.spend(1);
  switch (value.kind) {
    case Kind::undefined:
      return "Undefined";
    case Kind::string:
      machine.take_memory(value.text->size());
      return quoted(*value.text);
    case Kind::list:
    case Kind::tuple: {
      std::string out = sequence_repr(machine, value);
      machine.take_memory(out.size());
      return out;
    }
    case Kind::dict: {
      std::string out = dict_repr(machine, value);
      machine.take_memory(out.size());
      return out;
    }
    case Kind::space:
      return space_repr(machine, value);
    default:
      return to_text(machine, value);
  }
}

std::string to_text(Machine& machine, const Value& value) {
  switch (value.kind) {
    case Kind::undefined:
      return "";
    case Kind::none:
      return "None";
    case Kind::boolean:
      return value.boolean ? "True" : "False";
    case Kind::integer:
      return std::to_string(value.integer);
    case Kind::number:
      return number_text(value.number);
    case Kind::string:
      machine.take_memory(value.text->size());
      return *value.text;
    case Kind::loop:
      machine.refuse("the variable \"loop\" is not text");
    case Kind::function:
      machine.refuse("the function \"" + std::string(value.function->name) +
                     "\" is not text; call it with ()");
    default:
      return to_repr(machine, value);
  }
}

}  // namespace cupel::jinja

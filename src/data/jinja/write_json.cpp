#include <algorithm>
#include <cmath>

#include "data/jinja/operators.h"
#include "data/jinja/text.h"
#include "data/jinja/write.h"
#include "data/unicode.h"

namespace cupel::jinja {
namespace {

void append_unit(std::string& out, uint32_t unit) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[(unit >> shift) & 15];
}

std::string quoted(const std::string& text, bool ascii) {
  constexpr std::string_view kSpecial = "\"\\\n\r\t\f\b", kLetters = "\"\\nrtfb";
  std::string out = "\"";
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_character(text, at);
    const std::size_t special =
        c < 0x80 ? kSpecial.find(static_cast<char>(c)) : std::string_view::npos;
    if (special != std::string_view::npos) {
      out += {'\\', kLetters[special]};
    } else if (c < 0x20 || (ascii && c >= 0x7F && c < 0x10000)) {
      append_unit(out, static_cast<uint32_t>(c));
    } else if (ascii && c >= 0x10000) {
      append_unit(out, 0xD800 + ((static_cast<uint32_t>(c) - 0x10000) >> 10));
      append_unit(out, 0xDC00 + (static_cast<uint32_t>(c) & 0x3FF));
    } else {
      out.append(text, begin, at - begin);
    }
  }
  return out += '"';
}

std::string json_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return number_text(value);
}

class Writer {
 public:
  Writer(Machine& machine, const JsonStyle& style) : machine_(machine), style_(style) {
    item_separator_ = style.item_separator.value_or(style.indent ? "," : ", ");
    key_separator_ = style.key_separator.value_or(": ");
  }

  void write(const Value& value) {
    const Deeper deeper(machine_);
    const std::size_t before = out_.size();
    switch (value.kind) {
      case Kind::none:
        out_ += "null";
        break;
      case Kind::boolean:
        out_ += value.boolean ? "true" : "false";
        break;
      case Kind::integer:
        out_ += std::to_string(value.integer);
        break;
      case Kind::number:
        out_ += json_number(value.number);
        break;
      case Kind::string:
        out_ += quoted(*value.text, style_.ascii);
        break;
      case Kind::list:
      case Kind::tuple:
        write_items(*value.items);
        return;
      case Kind::dict:
        write_pairs(*value.pairs);
        return;
      default:
        machine_.refuse("JSON cannot hold \"" + std::string(type_name(value)) + "\"",
                        value.is(Kind::undefined) ? *value.text : "");
    }
    machine_.take_memory(out_.size() - before);
  }

  std::string take() { return std::move(out_); }

 private:
  void line(std::size_t level) {
    if (!style_.indent) return;
    machine_.take_memory(level * style_.indent->size());
    out_ += '\n';
    for (std::size_t i = 0; i < level; ++i) out_ += *style_.indent;
  }

  void write_items(const List& items) {
    out_ += '[';
    ++level_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += item_separator_;
      line(level_);
      write(items[i]);
    }
    --level_;
    if (!items.empty()) line(level_);
    out_ += ']';
  }

  std::string key_text(const Value& key) {
    switch (key.kind) {
      case Kind::string:
        return *key.text;
      case Kind::none:
        return "null";
      case Kind::boolean:
        return key.boolean ? "true" : "false";
      case Kind::integer:
        return std::to_string(key.integer);
      case Kind::number:
        return json_number(key.number);
      default:
        machine_.refuse("a key of JSON is a string, not \"" + std::string(type_name(key)) + "\"");
    }
  }

  void write_pairs(const Pairs& pairs) {
    Pairs sorted = pairs;
    if (style_.sort_keys) {
      std::ranges::stable_sort(sorted, [&](const auto& a, const auto& b) {
        return order(machine_, a.first, b.first) < 0;
      });
    }
    out_ += '{';
    ++level_;
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i > 0) out_ += item_separator_;
      line(level_);
      const std::string key = key_text(sorted[i].first);
      machine_.take_memory(key.size());
      out_ += quoted(key, style_.ascii) + key_separator_;
      write(sorted[i].second);
    }
    --level_;
    if (!sorted.empty()) line(level_);
    out_ += '}';
  }

  Machine& machine_;
  const JsonStyle& style_;
  std::string out_, item_separator_, key_separator_;
  std::size_t level_ = 0;
};

}  // namespace

std::string to_json(Machine& machine, const Value& value, const JsonStyle& style) {
  Writer writer(machine, style);
  writer.write(value);
  return writer.take();
}

}  // namespace cupel::jinja

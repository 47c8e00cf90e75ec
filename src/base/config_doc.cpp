#include "base/config_doc.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/text.h"

namespace cupel {
namespace {

std::string number_text(double value) {
  std::string text = shortest(value);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text;
}

yaml::Node to_node(const json::Value& value) {
  using Kind = yaml::Node::Kind;
  yaml::Node node;
  if (value.is_null()) return node;
  node.kind = Kind::scalar;
  if (value.is_string()) {
    node.scalar = value.as_string("");
    node.quoted = true;
  } else if (value.is_array()) {
    node.kind = Kind::sequence;
    for (const json::Value& item : value.as_array("")) node.items.push_back(to_node(item));
  } else if (value.is_object()) {
    node.kind = Kind::map;
    for (const auto& [key, item] : value.as_object(""))
      node.members.emplace_back(key, to_node(item));
  } else if (value.is_number() && !value.is_int() && std::isinf(value.as_double(""))) {
    node.scalar = value.as_double("") < 0 ? "-.inf" : ".inf";
  } else {
    node.scalar = json::dump(value);
  }
  return node;
}

/// Calls visit(dotted name, field) for every setting that takes a value, structs' children after
/// them.
void visit_leaves(const std::vector<FieldDoc>& fields, const std::string& prefix,
                  const std::function<void(const std::string&, const FieldDoc&)>& visit) {
  for (const FieldDoc& field : fields) {
    const bool settings = field.list && !field.children.empty();
    visit(prefix + field.name + (settings ? "[]" : ""), field);
    visit_leaves(field.children, prefix + field.children_prefix(), visit);
  }
}

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

/// Whether an item of the list needs no brackets where it is the only one.
bool takes_one(const FieldDoc& field) { return field.type == "path" || field.type == "word"; }

std::string type_text(const FieldDoc& field) {
  std::string type = field.choices.empty() ? field.type : joined(field.choices, "|");
  if (!field.children.empty()) type = field.list ? "settings" : field.type;
  if (field.list && takes_one(field)) return field.type + " or list of " + field.type + "s";
  return field.list ? "list of " + type : type;
}

std::string range_text(const FieldDoc& field) {
  if (field.type == "size") {
    const auto size = [](double bytes) { return to_text({static_cast<int64_t>(bytes)}); };
    if (std::isinf(field.low)) return "";
    return std::isinf(field.high) ? "≥ " + size(field.low)
                                  : size(field.low) + " … " + size(field.high);
  }
  if (std::isinf(field.low) && std::isinf(field.high)) return "";
  if (std::isinf(field.high)) return "≥ " + number_text(field.low);
  if (std::isinf(field.low)) return "≤ " + number_text(field.high);
  return number_text(field.low) + " … " + number_text(field.high);
}

/// Empty where there is nothing to tell: no value, no text, no items.
std::string default_text(const FieldDoc& field) {
  const std::string& text = field.default_text;
  if (text == "null" || text == "\"\"" || text == "[]" || text == "{}") return "";
  const bool quoted = text.size() > 1 && text.front() == '"';
  return quoted ? json::parse(text, field.name).as_string(field.name) : text;
}

/// Breaks at spaces so that no line passes 100 columns; lines after the first are indented.
std::string wrap(const std::string& first, const std::string& text, std::size_t indent) {
  constexpr std::size_t kColumns = 100;
  std::string out, line = first;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const bool at_margin = line.size() <= indent;
    if (!at_margin && line.size() + 1 + end - begin > kColumns) {
      out += line + "\n";
      line.assign(indent, ' ');
    } else if (!at_margin) {
      line += ' ';
    }
    line += text.substr(begin, end - begin);
    begin = end + 1;
  }
  return out + line + "\n";
}

json::Value type_schema(const FieldDoc& field) {
  json::Value value;
  if (field.type == "map") {
    value.set("type", "object");
    if (!field.children.empty()) value.set("additionalProperties", schema(field.children));
  } else if (!field.children.empty()) {
    value = schema(field.children);
  } else if (!field.choices.empty()) {
    value.set("enum", json::Array(field.choices.begin(), field.choices.end()));
  } else {
    const std::string& type = field.type;
    const bool same = type == "integer" || type == "number";
    value.set("type", same ? type : type == "yes/no" ? "boolean" : "string");
  }
  if (field.type == "size") return value;  // its range is no JSON number's
  if (std::isfinite(field.low)) value.set("minimum", field.low);
  if (std::isfinite(field.high)) value.set("maximum", field.high);
  return value;
}

json::Value field_schema(const FieldDoc& field) {
  json::Value value = type_schema(field);
  const auto either = [&](json::Value other) {
    value = json::Object{{"anyOf", json::Array{std::move(value), std::move(other)}}};
  };
  if (!field.shorthand.empty()) {
    for (const FieldDoc& child : field.children) {
      if (child.name == field.shorthand)
        either(child.list ? field_schema(child) : type_schema(child));
    }
  }
  if (field.list) {
    const json::Value item = value;
    value = json::Object{{"type", "array"}, {"items", item}};
    if (takes_one(field)) either(item);
  }
  if (field.optional) either(json::Object{{"type", "null"}});
  value.set("description", field.help);
  if (!field.default_text.empty())
    value.set("default", json::parse(field.default_text, field.name));
  return value;
}

/// A cell of a Markdown table: a bar would end it.
std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

}  // namespace

namespace doc_detail {

json::Value dump_members(const void* object, std::span<const Dumped> members) {
  json::Object result;
  for (const Dumped& member : members)
    result.emplace_back(std::string(member.name), member.value(object));
  return result;
}

std::vector<FieldDoc> describe_members(const void* defaults, std::span<const Described> members) {
  std::vector<FieldDoc> docs;
  for (const Described& member : members) {
    FieldDoc& doc = docs.emplace_back();
    doc.name = member.name;
    doc.help = member.help;
    doc.low = member.low;
    doc.high = member.high;
    for (const std::string_view alias : member.aliases)
      if (!alias.empty()) doc.aliases.emplace_back(alias);
    member.describe(doc);
    if (doc.children.empty()) doc.default_text = json::dump(member.value(defaults));
  }
  return docs;
}

}  // namespace doc_detail

std::string FieldDoc::children_prefix() const {
  return name + (list ? "[]." : type == "map" ? ".NAME." : ".");
}

std::string to_yaml(const json::Value& settings) { return yaml::dump(to_node(settings)); }

std::string help_text(const std::vector<FieldDoc>& fields, const std::string& prefix) {
  constexpr std::size_t kHelpColumn = 38;
  std::string out;
  visit_leaves(fields, prefix, [&](const std::string& name, const FieldDoc& field) {
    std::string text = field.help;
    std::vector<std::string> notes;
    if (const std::string type = type_text(field); !type.empty()) notes.push_back(type);
    if (const std::string range = range_text(field); !range.empty()) notes.push_back(range);
    if (const std::string value = default_text(field); !value.empty()) {
      notes.push_back("default " + value);
    }
    if (!field.aliases.empty()) notes.push_back("also " + joined(field.aliases, ", "));
    if (!notes.empty()) text += " [" + joined(notes, "; ") + "]";
    std::string first = "  --" + name;
    if (first.size() + 2 > kHelpColumn) {
      out += first + "\n";
      first.clear();
    }
    first.resize(kHelpColumn, ' ');
    out += wrap(first, text, kHelpColumn);
  });
  return out;
}

std::string markdown_text(const std::string& verb, const std::string& summary,
                          const std::vector<FieldDoc>& fields) {
  std::string out = "# " + verb + "\n\n" + summary + "\n\n";
  out += "| setting | type | default | range | meaning |\n|---|---|---|---|---|\n";
  visit_leaves(fields, "", [&](const std::string& name, const FieldDoc& field) {
    const std::string value = default_text(field);
    std::string help = field.help;
    if (!field.aliases.empty()) help += "; also `" + joined(field.aliases, "`, `") + "`";
    out += "| `" + name + "` | " + cell(type_text(field)) + " | " +
           (value.empty() ? "" : "`" + cell(value) + "`") + " | " + range_text(field) + " | " +
           cell(help) + " |\n";
  });
  return out;
}

json::Value schema(const std::vector<FieldDoc>& fields) {
  json::Object properties;
  for (const FieldDoc& field : fields) {
    const json::Value value = field_schema(field);
    properties.emplace_back(field.name, value);
    for (const std::string& alias : field.aliases) {
      json::Value other = value;
      other.set("description", "same as " + field.name + ": " + field.help);
      properties.emplace_back(alias, std::move(other));
    }
  }
  return json::Object{
      {"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
}

}  // namespace cupel

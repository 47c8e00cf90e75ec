// Fields → resolved config text, --help, Markdown reference, JSON Schema and report JSON.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/config_yaml.h"
#include "base/json.h"

namespace cupel {

/// One setting, type-erased. `type`: integer, number, text, word, path, model, size, yes/no,
/// choice, map, or empty for a nested struct, whose own settings stand in `children`, as do those
/// of a map's or list's items; `default_text` is JSON.
struct FieldDoc {
  std::string name, type, help, default_text;
  std::string shorthand;  // the child that a scalar or list stands for
  double low = 0, high = 0;
  std::vector<std::string> choices, aliases;
  bool optional = false, list = false;
  std::vector<FieldDoc> children;
  /// What stands before the names of the children: "tasks." of a struct, "tasks[]." of a list,
  /// "tasks.NAME." of a map.
  std::string children_prefix() const;
};

namespace doc_detail {
/// A field without its type, so that the loop over the fields is no code of every struct.
struct Dumped {
  std::string_view name;
  json::Value (*value)(const void* object);
};
json::Value dump_members(const void* object, std::span<const Dumped> members);
template <Config T>
constexpr auto dumped_members();
}  // namespace doc_detail

/// Report or settings as JSON, fields in order; absent optionals are null.
template <class T>
json::Value to_json(const T& value) {
  if constexpr (is_optional<T>) {
    return value ? to_json(*value) : json::Value();
  } else if constexpr (is_string_map<T>) {
    json::Object object;
    for (const auto& [key, item] : value) object.emplace_back(key, to_json(item));
    return object;
  } else if constexpr (Config<T>) {
    static constexpr auto kMembers = doc_detail::dumped_members<T>();
    return doc_detail::dump_members(&value, kMembers);
  } else if constexpr (NamedEnum<T>) {
    return std::string(name_of(value));
  } else if constexpr (std::is_base_of_v<Path, T> || std::is_same_v<T, Word>) {
    return value.text;
  } else if constexpr (std::is_same_v<T, ByteSize>) {
    return to_text(value);
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, std::string>) {
    return value;
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<int64_t>(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<double>(value);
  } else {  // vector, array
    json::Array array;
    for (const auto& item : value) array.push_back(to_json(item));
    return array;
  }
}

/// The settings of T with their defaults, for help, reference and schema.
template <Config T>
std::vector<FieldDoc> describe();

/// Resolved settings as YAML, every field present: the text of config.yaml. Reading it back gives
/// an equal struct.
std::string to_yaml(const json::Value& settings);

/// `--help` text of a verb's settings: one entry a setting, wrapped at 100 columns. `prefix` is
/// what stands before the names, as in "train.".
std::string help_text(const std::vector<FieldDoc>& fields, const std::string& prefix);
/// docs/reference/<verb>.md: one table, nested settings by their dotted names.
std::string markdown_text(const std::string& verb, const std::string& summary,
                          const std::vector<FieldDoc>& fields);
/// JSON Schema (draft 2020-12) of a section: what the strict reader takes, for editors.
json::Value schema(const std::vector<FieldDoc>& fields);

namespace doc_detail {
template <Config T, std::size_t index>
json::Value dump_member(const void* object) {
  return to_json(static_cast<const T*>(object)->*std::get<index>(kFieldsOf<T>).member);
}

template <Config T>
constexpr auto dumped_members() {
  return rows_of_fields<Dumped, T>([](auto index) {
    return Dumped{std::get<index>(kFieldsOf<T>).name, dump_member<T, index>};
  });
}

/// A field of a struct whose defaults `value` takes.
struct Described {
  std::string_view name, help;
  double low, high;
  std::array<std::string_view, 4> aliases;
  void (*describe)(FieldDoc& doc);
  json::Value (*value)(const void* defaults);
};
std::vector<FieldDoc> describe_members(const void* defaults, std::span<const Described> members);

template <class T>
void describe_type(FieldDoc& doc) {
  if constexpr (is_optional<T>) {
    doc.optional = true;
    describe_type<typename T::value_type>(doc);
  } else if constexpr (is_vector<T>) {
    doc.list = true;
    describe_type<typename T::value_type>(doc);
  } else if constexpr (is_string_map<T>) {
    doc.type = "map";
    if constexpr (Config<typename T::mapped_type>)
      doc.children = describe<typename T::mapped_type>();
  } else if constexpr (Config<T>) {
    doc.children = describe<T>();
    if constexpr (requires { T::kShorthand; }) doc.shorthand = T::kShorthand;
  } else if constexpr (NamedEnum<T>) {
    doc.type = "choice";
    for (std::string_view choice : names(T{})) doc.choices.emplace_back(choice);
  } else if constexpr (std::is_same_v<T, bool>) {
    doc.type = "yes/no";
  } else if constexpr (std::is_integral_v<T>) {
    doc.type = "integer";
  } else if constexpr (std::is_floating_point_v<T>) {
    doc.type = "number";
  } else if constexpr (std::is_same_v<T, Path>) {
    doc.type = "path";
  } else if constexpr (std::is_same_v<T, ModelPath>) {
    doc.type = "model";
  } else if constexpr (std::is_same_v<T, ByteSize>) {
    doc.type = "size";
  } else if constexpr (std::is_same_v<T, Word>) {
    doc.type = "word";
  } else {
    doc.type = "text";
  }
}

template <Config T>
constexpr auto described_members() {
  return rows_of_fields<Described, T>([](auto index) {
    constexpr const auto& field = std::get<index>(kFieldsOf<T>);
    using Type = std::remove_cvref_t<decltype(std::declval<T&>().*(field.member))>;
    return Described{field.name,           field.help,    field.low,
                     field.high,           field.aliases, describe_type<Type>,
                     dump_member<T, index>};
  });
}
}  // namespace doc_detail

template <Config T>
std::vector<FieldDoc> describe() {
  static constexpr auto kMembers = doc_detail::described_members<T>();
  const T defaults{};
  return doc_detail::describe_members(&defaults, kMembers);
}

}  // namespace cupel

// YAML text plus command-line overrides → typed structs, strictly: every key known, typed and in
// range.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "base/config.h"
#include "base/error.h"

namespace cupel::yaml {

/// A YAML value with its place. Maps keep the order of the text; duplicate keys never get this far.
struct Node {
  enum class Kind { null, scalar, sequence, map };
  Kind kind = Kind::null;
  std::string scalar = {};
  bool quoted = false;  // "1" is text, 1 is a number
  std::vector<Node> items = {};
  std::vector<std::pair<std::string, Node>> members = {};
  std::string where = {};      // "recipe.yaml:12:5" or "--train.seed"
  std::string key_where = {};  // place of its key, where it is a member

  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

/// One document. Throws Error{config} "file:line:column: …" for syntax errors, duplicate keys,
/// tags other than YAML's own, nesting over 64, more than 100,000 nodes or 16 MiB of text once
/// aliases are resolved, a text over 4 MiB or not UTF-8.
Node parse(std::string_view text, const std::string& file);

/// Merges `--a.b=value` into the tree, making maps on the way; kebab and snake case alike, a number
/// picks the item of a list. The value is parsed as YAML. `word` is given as typed, with its
/// leading dashes.
void merge_override(Node& root, std::string_view word);

/// YAML text of a tree, stable: the same tree gives the same bytes.
std::string dump(const Node& node);

/// The nearest of `known` by edit distance (insert, delete, change, swap neighbours), or empty if
/// none is within a third of the word's length.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

struct Context {
  std::string path;    // dotted name of the struct being read, as in "train.loss_scale"
  std::string folder;  // folder of the recipe: Path fields are resolved against it
};

/// Whether the value came with the command line: then it overrides, and paths are as the shell has
/// them.
bool from_command_line(const Node& node);

// The leaves, in config_read.cpp. Each throws Error{config} naming place, key, and what was
// expected.
bool read_bool(const Node& node, const std::string& key);
int64_t read_int(const Node& node, const std::string& key);
double read_double(const Node& node, const std::string& key);
std::string read_string(const Node& node, const std::string& key);
ByteSize read_size(const Node& node, const std::string& key);
Path read_path(const Node& node, const std::string& key, const std::string& folder);
std::size_t read_choice(const Node& node, const std::string& key,
                        const std::vector<std::string>& choices);
void check_range(const Node& node, const std::string& key, double value, double low, double high);
[[noreturn]] void fail_not_a_map(const Node& node, const std::string& key);
[[noreturn]] void fail_not_a_list(const Node& node, const std::string& key);
[[noreturn]] void fail_problems(const Node& node, const std::string& key,
                                const std::vector<std::string>& problems);

template <class T>
void read_value(const Node& node, T& out, const std::string& key, const Context& context,
                double low, double high);

/// Whether a value that is no map stands for the struct's shorthand: a scalar, and a list where
/// that field is one.
template <Config T>
bool is_shorthand(const Node& node) {
  bool takes_list = false;
  for_each_field<T>([&](const auto& field) {
    using Member = std::remove_cvref_t<decltype(std::declval<T&>().*(field.member))>;
    if (field.name == T::kShorthand) takes_list = is_vector<Member>;
  });
  return node.kind == Node::Kind::scalar || (takes_list && node.kind == Node::Kind::sequence);
}

/// A field without its type, so that what reads a map is compiled once and not for every struct.
struct Member {
  std::string_view name;
  std::array<std::string_view, 4> aliases;
  /// Reads the value into the field of the struct that `out` points to.
  void (*read)(const Node& value, void* out, const std::string& key, const Context& context);
};

template <Config T, std::size_t index>
void read_member(const Node& value, void* out, const std::string& key, const Context& context) {
  constexpr const auto& field = std::get<index>(kFieldsOf<T>);
  read_value(value, static_cast<T*>(out)->*field.member, key, context, field.low, field.high);
}

template <Config T>
constexpr auto members_of() {
  return rows_of_fields<Member, T>([](auto index) {
    constexpr const auto& field = std::get<index>(kFieldsOf<T>);
    return Member{field.name, field.aliases, read_member<T, index>};
  });
}

/// Reads a map into the struct that `out` points to. Throws Error{config} for a key not among
/// `members`, with the hint if it is one of `elsewhere`, and for one given twice by two names.
void read_members(const Node& node, void* out, std::span<const Member> members,
                  std::span<const Elsewhere> elsewhere, const Context& context);

/// Reads a map into a struct. Keys not among fields(), a key given twice by two names, wrong types,
/// values out of range and problems() are errors; members that are not mentioned keep their
/// defaults.
template <Config T>
void read_struct(const Node& node, T& out, const Context& context) {
  if constexpr (requires { T::kShorthand; }) {
    if (is_shorthand<T>(node)) {
      Node map;
      map.kind = Node::Kind::map;
      map.where = node.where;
      map.members.emplace_back(std::string(T::kShorthand), node);
      return read_struct(map, out, context);
    }
  }
  static constexpr auto kMembers = members_of<T>();
  if constexpr (requires { T::kElsewhere; }) {
    read_members(node, &out, kMembers, T::kElsewhere, context);
  } else {
    read_members(node, &out, kMembers, {}, context);
  }
  if constexpr (requires { out.problems(); }) {
    const std::vector<std::string> problems = out.problems();
    if (!problems.empty()) fail_problems(node, context.path, problems);
  }
}

template <class T>
void read_list(const Node& node, std::vector<T>& out, const std::string& key,
               const Context& context, double low, double high) {
  out.clear();
  if constexpr (std::is_same_v<T, Path> || std::is_same_v<T, Word>) {
    if (node.kind == Node::Kind::scalar)  // one needs no brackets
      return read_value(node, out.emplace_back(), key, context, low, high);
  }
  if (node.kind != Node::Kind::sequence) fail_not_a_list(node, key);
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    const std::string item = key + "[" + std::to_string(i) + "]";
    read_value(node.items[i], out.emplace_back(), item, {item, context.folder}, low, high);
  }
}

template <class T>
void read_value(const Node& node, T& out, const std::string& key, const Context& context,
                double low, double high) {
  if constexpr (is_optional<T>) {
    if (node.kind == Node::Kind::null) {
      out.reset();
    } else {
      read_value(node, out.emplace(), key, context, low, high);
    }
  } else if constexpr (is_vector<T>) {
    read_list(node, out, key, context, low, high);
  } else if constexpr (is_string_map<T>) {
    if (node.kind != Node::Kind::map) fail_not_a_map(node, key);
    out.clear();
    for (const auto& [name, value] : node.members) {
      const std::string item = key + "." + name;
      read_value(value, out[name], item, {item, context.folder}, low, high);
    }
  } else if constexpr (Config<T>) {
    read_struct(node, out, context);
  } else if constexpr (NamedEnum<T>) {
    if (const std::optional<T> choice = choice_by_alias<T>(node.scalar)) {
      out = *choice;
    } else {
      const auto all = names(T{});
      out = static_cast<T>(read_choice(node, key, {all.begin(), all.end()}));
    }
  } else if constexpr (std::is_same_v<T, bool>) {
    out = read_bool(node, key);
  } else if constexpr (std::is_integral_v<T>) {
    const int64_t value = read_int(node, key);
    const double least = std::max(low, static_cast<double>(std::numeric_limits<T>::min()));
    const double most = std::min(high, static_cast<double>(std::numeric_limits<T>::max()));
    check_range(node, key, static_cast<double>(value), least, most);
    out = static_cast<T>(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    const double value = read_double(node, key);
    check_range(node, key, value, low, high);
    out = static_cast<T>(value);
  } else if constexpr (std::is_same_v<T, ByteSize>) {
    out = read_size(node, key);
    check_range(node, key, static_cast<double>(out.bytes), low, high);
  } else if constexpr (std::is_base_of_v<Path, T>) {
    out = {read_path(node, key, context.folder)};
  } else if constexpr (std::is_same_v<T, Word>) {
    out = {read_string(node, key)};
  } else {
    static_assert(std::is_same_v<T, std::string>, "a field of this type cannot be read from YAML");
    out = read_string(node, key);
  }
}

}  // namespace cupel::yaml

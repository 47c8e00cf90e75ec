// Settings declared once: a struct lists its fields, everything else (YAML, help, schema, report)
// is derived.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace cupel {

/// A path as the recipe gives it, resolved against the recipe's folder when read.
struct Path {
  std::string text;
  bool empty() const { return text.empty(); }
  bool operator==(const Path&) const = default;
};

/// A model: a path as above, or a name that the pipeline replaces by one before a section runs.
struct ModelPath : Path {};

/// A text of which one needs no brackets where a list of them is asked for.
struct Word {
  std::string text;
  bool operator==(const Word&) const = default;
};

/// A number of bytes, written with a unit: "512MB" is 512e6, "512MiB" 512 * 2^20.
struct ByteSize {
  int64_t bytes = 0;
  bool operator==(const ByteSize&) const = default;
};
/// The shortest spelling that reads back equal.
std::string to_text(ByteSize size);

/// One setting of struct `C`: name in the recipe, member, help, allowed range, other names it is
/// known by.
template <class C, class T>
struct Field {
  std::string_view name;
  T C::*member;
  std::string_view help;
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::array<std::string_view, 4> aliases{};

  constexpr Field(std::string_view n, T C::*m, std::string_view h) : name(n), member(m), help(h) {}
  constexpr Field(std::string_view n, T C::*m, std::string_view h, double lo, double hi)
      : name(n), member(m), help(h), low(lo), high(hi) {}

  /// The names that users of other tools know the setting by.
  template <class... Names>
  constexpr Field also(Names... names) const {
    static_assert(sizeof...(Names) <= 4);
    Field copy = *this;
    copy.aliases = {std::string_view(names)...};
    return copy;
  }
};

/// What other tools call `name`, and what to write here in its place. Where a name maps plainly it
/// is an alias of a field instead.
struct Elsewhere {
  std::string_view name, hint;
};

/// A struct whose static fields() returns a tuple of Field. Optional members:
/// `static constexpr std::string_view kShorthand`: the field that a plain scalar stands for, or a
/// list where that field is one;
/// `static constexpr std::array<Elsewhere, N> kElsewhere`: names that are refused with a hint;
/// `std::vector<std::string> problems() const`: what spans fields, one sentence each.
template <class T>
concept Config = requires {
  T::fields();
};

/// An enum whose choices `names(E)` lists in order.
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T e) {
  names(e).size();
};

template <NamedEnum E>
constexpr std::string_view name_of(E value) {
  return names(value)[static_cast<std::size_t>(value)];
}

/// The choice that other tools call `name`, where `aliases(E)` lists {name, choice}.
template <NamedEnum E>
constexpr std::optional<E> choice_by_alias(std::string_view name) {
  if constexpr (requires { aliases(E{}); }) {
    for (const auto& [alias, choice] : aliases(E{})) {
      if (alias == name) return choice;
    }
  }
  return std::nullopt;
}

/// fields() of C, made once however many ask for one of them.
template <Config C>
inline constexpr auto kFieldsOf = C::fields();

/// Calls visit(field) for every field of C, in order.
template <Config C, class Visit>
constexpr void for_each_field(Visit&& visit) {
  std::apply([&](const auto&... field) { (visit(field), ...); }, kFieldsOf<C>);
}

/// An array of make_row(index) for every field of C; `index` is its number, known at compile time.
template <class Row, Config C, class MakeRow>
constexpr auto rows_of_fields(MakeRow make_row) {
  return [&]<std::size_t... index>(std::index_sequence<index...>) {
    return std::array<Row, sizeof...(index)>{
        make_row(std::integral_constant<std::size_t, index>())...};
  }
  (std::make_index_sequence<std::tuple_size_v<decltype(C::fields())>>());
}

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T>
inline constexpr bool is_vector<std::vector<T>> = true;
template <class T>
inline constexpr bool is_string_map = false;
template <class T>
inline constexpr bool is_string_map<std::map<std::string, T>> = true;

}  // namespace cupel

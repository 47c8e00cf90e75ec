#include "data/table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "data/read.h"

namespace cupel {

namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// What the text says if all of it is a decimal number, blanks around it aside.
std::optional<double> parse_number(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == text.npos) return kMissing;
  text = text.substr(first, text.find_last_not_of(' ') + 1 - first);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// A column is numeric until its first text; the texts are kept until the end to go back to.
void append(Column& column, json::Value&& value) {
  std::string text;
  std::optional<double> number;
  if (value.is_string()) {
    text = value.as_string(column.name);
    if (column.type == Column::Type::number) number = parse_number(text);
  } else if (value.is_null()) {
    number = kMissing;
  } else {
    if (value.is_number()) number = value.as_double(column.name);
    text = json::dump(value);
  }
  column.texts.push_back(std::move(text));
  if (column.type == Column::Type::number && number) {
    column.numbers.push_back(*number);
  } else {
    column.type = Column::Type::text;
    column.numbers = {};
  }
}

}  // namespace

const Column* Table::find(std::string_view name) const {
  const auto at = std::ranges::find(columns, name, &Column::name);
  return at == columns.end() ? nullptr : &*at;
}

const Column& Table::at(std::string_view name, std::string_view where) const {
  if (const Column* column = find(name)) return *column;
  std::string known;
  for (const Column& column : columns) known += (known.empty() ? "" : ", ") + column.name;
  fail(ErrorKind::data, std::string(where), "no column \"" + std::string(name) + "\"",
       "there are: " + known);
}

Table read_table(const std::filesystem::path& path, const ReadOptions& options,
                 std::vector<Reject>* rejects) {
  Table table;
  const RowCallback add = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    const json::Object& members = row.as_object("row");
    if (table.lines.empty()) {
      for (const auto& [name, value] : members) table.columns.emplace_back().name = name;
    }
    std::vector<const json::Value*> values;
    for (const Column& column : table.columns) values.push_back(row.find(column.name));
    const bool same = members.size() == values.size() &&
                      std::ranges::none_of(values, [](auto* value) { return value == nullptr; });
    if (!same) return RowProblem{"columns", "columns differ from those of the first row"};
    for (std::size_t i = 0; i < values.size(); ++i) {
      append(table.columns[i], json::Value(*values[i]));
    }
    table.lines.push_back(line);
    return std::nullopt;
  };
  table.rejected = for_each_row(path, options, add, rejects).rejected;
  for (Column& column : table.columns) {
    if (column.type == Column::Type::number) column.texts = {};
  }
  return table;
}

}  // namespace cupel

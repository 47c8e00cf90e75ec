// Typed columns: numbers and text, as csv, jsonl and json files hold them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cupel {

/// One of the two vectors is filled, as `type` says. A missing number is NaN, a missing text empty.
struct Column {
  enum class Type { number, text };
  std::string name;
  Type type = Type::number;
  std::vector<double> numbers;
  std::vector<std::string> texts;
};

struct Table {
  std::vector<Column> columns;  // as the first row orders them
  std::vector<int64_t> lines;   // of each row, from 1
  int64_t rejected = 0;

  int64_t rows() const { return static_cast<int64_t>(lines.size()); }
  const Column* find(std::string_view name) const;
  /// Throws Error{data} that lists the columns there are; `where` names the file.
  const Column& at(std::string_view name, std::string_view where) const;
};

}  // namespace cupel

// What every fuzz target allows: the product's own error, and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "data/read.h"
#include "support/files.h"

namespace cupel::fuzz {

/// Runs `body`; an input may be refused, yet never by one of our own assertions.
template <class Body>
void survive(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::bug) std::terminate();
  }
}

inline void require(bool condition) {
  if (!condition) std::terminate();
}

/// Reads `bytes` as a file of that name, and checks that every row is either handed over or
/// rejected.
inline void read_rows(std::string_view bytes, const char* name, const ReadOptions& options = {}) {
  static const TemporaryFolder folder(TemporaryFolder::Place::memory);
  const std::filesystem::path file = folder.write(name, bytes);
  survive([&] {
    int64_t taken = 0;
    std::vector<Reject> rejects;
    const RowCallback take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
      require(row.is_object() && line > 0);
      ++taken;
      return std::nullopt;
    };
    const ReadCounts counts = for_each_row(file, options, take, &rejects);
    require(counts.rejected == static_cast<int64_t>(rejects.size()));
    require(counts.rows == taken + counts.rejected);
  });
  survive([&] {
    std::vector<Reject> rejects;
    const Table table = read_table(file, options, &rejects);
    for (const Column& column : table.columns) {
      const std::size_t rows =
          column.type == Column::Type::number ? column.numbers.size() : column.texts.size();
      require(static_cast<int64_t>(rows) == table.rows());
    }
  });
}

}  // namespace cupel::fuzz

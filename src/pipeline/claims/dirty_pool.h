// A corpus of which every row's truth is known: valid texts, and invalid rows of four kinds.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cupel::pipeline::claims {

/// Of a valid text: its label. Of a text of another domain: where it is from.
struct SourceText {
  std::string source, text;
};

struct PoolRow {
  std::string id = {}, label = {}, text = {};
  std::string kind = {};     // valid, exact_dup, near_dup, off_domain, bad_format
  std::string subkind = {};  // how the row was made; empty for a valid one
  std::string dup_of = {};   // id of the valid row that was copied
};

/// Share of the rows that are invalid, exactly: a pool has 77 valid rows to 23 invalid ones.
inline constexpr int64_t kInvalidPercent = 23;

/// The most valid rows, in multiples of 77, that leave 3 % of the texts over. Invalid rows are a
/// quarter each (what is left over goes to the first kinds):
/// - exact_dup: a valid row as it is, in other letter case, with other white space;
/// - near_dup: a valid row of which words are edited at a rate of 0.02, 0.05, 0.1 or 0.2;
/// - off_domain: equal parts of the sources of `off_domain`;
/// - bad_format: texts that are no valid rows, damaged in the eight ways of Damage.
/// A valid row is copied once at most. Rows stand in random order. `texts` are distinct, in ASCII.
/// Throws Error{data} for too few texts of either.
std::vector<PoolRow> make_dirty_pool(std::vector<SourceText> texts,
                                     std::vector<SourceText> off_domain, uint64_t seed);

}  // namespace cupel::pipeline::claims

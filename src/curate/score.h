// How good a filter is, where the truth about every row is known.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <unordered_map>

#include "base/config.h"

namespace cupel::curate {

/// Rates in 0..1 over the rows that the truth names. A row of kind "clean" or "valid" is valid; one
/// with dup_of is a copy of that valid row, and of a row and its copies any one may stay.
struct Score {
  double invalid_before = 0, residual = 0, valid_lost = 0;
  std::map<std::string, double> recall;
  static constexpr auto fields() {
    using C = Score;
    return std::tuple{Field{"invalid_before", &C::invalid_before, "invalid rows over all rows"},
                      Field{"residual", &C::residual, "invalid rows kept over all kept"},
                      Field{"valid_lost", &C::valid_lost, "valid rows dropped over valid rows"},
                      Field{"recall", &C::recall, "share of the invalid rows found, by kind"}};
  }
};

class Truth {
 public:
  /// Columns id, kind and, if there are copies, dup_of. Throws Error{data} for a file without the
  /// first two, or an id or dup_of that does not fit.
  explicit Truth(const std::filesystem::path& path);

  /// Tells what became of a row; of one whose id the truth does not know nothing is noted.
  void see(const std::string& id, bool kept);
  /// Rows that were never seen count as dropped. Throws Error{data} if none was seen.
  Score score() const;

 private:
  struct Row {
    std::string kind, dup_of;
    bool kept = false;
  };
  std::string name_;
  std::unordered_map<std::string, Row> rows_;
  bool seen_ = false;
};

}  // namespace cupel::curate

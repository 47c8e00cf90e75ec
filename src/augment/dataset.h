// A table as rows of standardised numbers, in three parts: to train on, to set the threshold, to
// test.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment/mlp.h"
#include "augment/perturb.h"

namespace cupel::augment {

/// Rows that a network takes at once.
inline constexpr int64_t kBatch = 256;

struct Rows {
  int64_t width = 0;                // padded columns
  std::vector<float> x;             // rows x width, standardised, zero past the features
  std::vector<uint8_t> labels;      // 0 or 1
  std::vector<std::string> groups;  // of each row, or empty

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  const float* row(int64_t at) const { return x.data() + at * width; }
  int64_t count_positives() const;
  Rows positives() const;
};

struct Dataset {
  std::vector<Feature> features;
  Rows train, validation, test;
};

/// Columns and labels before standardising, rows in any order.
struct RawTable {
  std::vector<Feature> features;  // mean, deviation, low, high not yet set
  std::vector<float> values;      // rows x features
  std::vector<uint8_t> labels;
  std::vector<std::string> groups;  // of each row, or empty
  int64_t rows() const { return static_cast<int64_t>(labels.size()); }
};

/// Which rows of a RawTable go where.
struct Parts {
  std::vector<int64_t> train, validation, test;
};

/// Mean, deviation and range of every column are those of the training rows; a column that is
/// constant there keeps deviation 1. Sums are in double, in order of rows.
Dataset standardise(const RawTable& table, const Parts& parts);

}  // namespace cupel::augment

// How far a row of a table may be moved: one rule for every attack, in training and in evaluation.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cupel::augment {

/// A column as a network sees it, (value - mean) / deviation. low and high are in the table's unit.
struct Feature {
  std::string name;
  double mean = 0, deviation = 1;
  double low = 0, high = 0;  // what training rows have
  bool immutable = false;
  bool integer = false;  // takes whole numbers alone
  int group = -1;        // one-hot columns of one text column share a number
};

struct Limits {
  double epsilon = 0.1;                 // L∞ distance, in deviations
  std::optional<double> relative = {};  // also at most this share of the value itself, as in 0.02
};

/// The rows within reach of a row x: |x' - x| <= epsilon in every column, between the column's low
/// and high (or x, if it lies beyond), and within `relative` of the value. Immutable columns and
/// those past the features do not move. Rows are rows x width, standardised.
class Perturber {
 public:
  Perturber(std::vector<Feature> features, Limits limits, int64_t width);

  /// The box around each row of x.
  void box(const float* x, int64_t rows, float* low, float* high) const;
  /// Makes `moved`, which lies in the box, a row that can exist: whole numbers where a column has
  /// no others (the nearest; the row's own if that is out of reach), and one-hot groups in one
  /// corner: that of their greatest value if it is within epsilon, else the row's own.
  void finish(const float* x, int64_t rows, float* moved) const;

  const std::vector<Feature>& features() const { return features_; }
  const Limits& limits() const { return limits_; }
  int64_t width() const { return width_; }

 private:
  float standardised(std::size_t column, double value) const;
  bool is_within(std::size_t column, float from, float to) const;
  void finish_group(const std::vector<std::size_t>& columns, const float* x, float* moved) const;

  std::vector<Feature> features_;
  Limits limits_;
  int64_t width_;
  std::vector<float> reach_, low_, high_, origin_;  // by column; origin_: where value 0 lies
  std::vector<std::size_t> integers_;
  std::vector<std::vector<std::size_t>> groups_;
};

}  // namespace cupel::augment

#include "augment/perturb.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace cupel::augment {

Perturber::Perturber(std::vector<Feature> features, Limits limits, int64_t width)
    : features_(std::move(features)), limits_(limits), width_(width) {
  const auto columns = static_cast<std::size_t>(width);
  CUPEL_ASSERT(features_.size() <= columns && limits.epsilon >= 0);
  reach_.resize(columns);
  low_.resize(columns);
  high_.resize(columns);
  origin_.resize(columns);
  for (std::size_t i = 0; i < features_.size(); ++i) {
    const Feature& feature = features_[i];
    CUPEL_ASSERT(feature.deviation > 0);
    if (!feature.immutable) reach_[i] = static_cast<float>(limits.epsilon);
    low_[i] = standardised(i, feature.low);
    high_[i] = standardised(i, feature.high);
    origin_[i] = standardised(i, 0);
    if (feature.immutable) continue;
    if (feature.group < 0) {
      if (feature.integer) integers_.push_back(i);
      continue;
    }
    const auto group = static_cast<std::size_t>(feature.group);
    if (group >= groups_.size()) groups_.resize(group + 1);
    groups_[group].push_back(i);
  }
}

float Perturber::standardised(std::size_t column, double value) const {
  return static_cast<float>((value - features_[column].mean) / features_[column].deviation);
}

void Perturber::box(const float* x, int64_t rows, float* low, float* high) const {
  const auto relative = static_cast<float>(limits_.relative.value_or(0));
  for (int64_t r = 0; r < rows; ++r, x += width_, low += width_, high += width_) {
    for (int64_t i = 0; i < width_; ++i) {
      const auto column = static_cast<std::size_t>(i);
      float reach = reach_[column];
      if (limits_.relative) reach = std::min(reach, relative * std::abs(x[i] - origin_[column]));
      low[i] = std::max(x[i] - reach, std::min(low_[column], x[i]));
      high[i] = std::min(x[i] + reach, std::max(high_[column], x[i]));
    }
  }
}

bool Perturber::is_within(std::size_t column, float from, float to) const {
  double reach = limits_.epsilon;
  if (limits_.relative)
    reach =
        std::min(reach, *limits_.relative * std::abs(static_cast<double>(from) - origin_[column]));
  return std::abs(static_cast<double>(to) - from) <= reach * (1 + 1e-6);
}

void Perturber::finish_group(const std::vector<std::size_t>& columns, const float* x,
                             float* moved) const {
  const auto share = [&](std::size_t i) {
    return moved[i] * features_[i].deviation + features_[i].mean;
  };
  const std::size_t corner = *std::ranges::max_element(columns, {}, share);
  const auto value = [&](std::size_t i) { return standardised(i, i == corner ? 1 : 0); };
  const bool reachable =
      std::ranges::all_of(columns, [&](std::size_t i) { return is_within(i, x[i], value(i)); });
  for (const std::size_t i : columns) moved[i] = reachable ? value(i) : x[i];
}

void Perturber::finish(const float* x, int64_t rows, float* moved) const {
  if (integers_.empty() && groups_.empty()) return;
  for (int64_t r = 0; r < rows; ++r, x += width_, moved += width_) {
    for (const std::size_t i : integers_) {
      const Feature& feature = features_[i];
      const double value = std::nearbyint(moved[i] * feature.deviation + feature.mean);
      const float whole = standardised(i, value);
      const bool allowed = value >= feature.low && value <= feature.high;
      moved[i] = allowed && is_within(i, x[i], whole) ? whole : x[i];
    }
    for (const auto& columns : groups_)
      if (!columns.empty()) finish_group(columns, x, moved);
  }
}

}  // namespace cupel::augment

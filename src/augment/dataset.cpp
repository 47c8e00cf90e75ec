#include "augment/dataset.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cupel::augment {
namespace {

void measure(const RawTable& table, const std::vector<int64_t>& rows, std::size_t column,
             Feature& feature) {
  const auto value = [&](int64_t row) {
    const auto at = static_cast<std::size_t>(row) * table.features.size() + column;
    return static_cast<double>(table.values[at]);
  };
  double sum = 0, squares = 0;
  feature.low = feature.high = value(rows.front());
  for (const int64_t row : rows) {
    sum += value(row);
    feature.low = std::min(feature.low, value(row));
    feature.high = std::max(feature.high, value(row));
  }
  feature.mean = sum / static_cast<double>(rows.size());
  for (const int64_t row : rows) {
    const double difference = value(row) - feature.mean;
    squares += difference * difference;
  }
  const double deviation = std::sqrt(squares / static_cast<double>(rows.size()));
  feature.deviation = deviation > 0 ? deviation : 1;
}

Rows take(const RawTable& table, const std::vector<Feature>& features,
          const std::vector<int64_t>& wanted) {
  Rows out;
  out.width = padded(static_cast<int64_t>(features.size()));
  out.x.resize(wanted.size() * static_cast<std::size_t>(out.width));
  float* to = out.x.data();
  for (const int64_t row : wanted) {
    const auto at = static_cast<std::size_t>(row);
    for (std::size_t i = 0; i < features.size(); ++i) {
      const double value = table.values[at * features.size() + i];
      to[i] = static_cast<float>((value - features[i].mean) / features[i].deviation);
    }
    to += out.width;
    out.labels.push_back(table.labels[at]);
    if (!table.groups.empty()) out.groups.push_back(table.groups[at]);
  }
  return out;
}

}  // namespace

int64_t Rows::count_positives() const {
  return std::accumulate(labels.begin(), labels.end(), int64_t{0});
}

Rows Rows::positives() const {
  Rows out;
  out.width = width;
  for (int64_t i = 0; i < size(); ++i) {
    if (labels[static_cast<std::size_t>(i)] == 0) continue;
    out.x.insert(out.x.end(), row(i), row(i) + width);
    out.labels.push_back(1);
    if (!groups.empty()) out.groups.push_back(groups[static_cast<std::size_t>(i)]);
  }
  return out;
}

Dataset standardise(const RawTable& table, const Parts& parts) {
  Dataset out;
  out.features = table.features;
  for (std::size_t i = 0; i < out.features.size(); ++i)
    measure(table, parts.train, i, out.features[i]);
  out.train = take(table, out.features, parts.train);
  out.validation = take(table, out.features, parts.validation);
  out.test = take(table, out.features, parts.test);
  return out;
}

}  // namespace cupel::augment

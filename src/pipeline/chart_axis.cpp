#include "pipeline/chart_axis.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace cupel::pipeline::chart {
namespace {

constexpr double kLargest = 1e300;
constexpr double kRounding = 1e-9;  // of a step: a tick this far outside still counts

double on_scale(double value, Scale scale) {
  return scale == Scale::linear ? value
         : scale == Scale::log2 ? std::log2(value)
                                : std::log10(value);
}

}  // namespace

std::vector<double> nice_ticks(double low, double high, int count) {
  if (!(low < high)) return {low};
  const double rough = (high - low) / std::max(count, 1);
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - kRounding)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const double first = std::ceil(low / step - kRounding),
               last = std::floor(high / step + kRounding);
  for (double i = first; i <= last && ticks.size() < 100; ++i) ticks.push_back(i * step);
  return ticks;
}

std::vector<double> power_ticks(double low, double high, double base, int count) {
  const auto exponent = [base](double value) { return std::log(value) / std::log(base); };
  const double first = std::ceil(exponent(low) - kRounding);
  const double last = std::floor(exponent(high) + kRounding);
  const double stride = std::max(1.0, std::ceil((last - first + 1) / std::max(count, 1)));
  std::vector<double> ticks;
  for (double e = first; e <= last; e += stride) ticks.push_back(std::pow(base, e));
  return ticks;
}

Axis::Axis(double low, double high, Scale scale, double begin, double end)
    : low_(low), high_(high), scale_(scale), begin_(begin), end_(end) {
  if (low_ < high_) return;
  if (scale_ == Scale::linear) {
    const double room = low_ == 0 ? 1 : std::abs(low_) * 0.1;
    low_ -= room;
    high_ = low_ + 2 * room;
  } else {
    low_ /= 2;
    high_ = 4 * low_;
  }
}

double Axis::place(double value) const {
  const double from = on_scale(low_, scale_), to = on_scale(high_, scale_);
  return begin_ + (on_scale(value, scale_) - from) / (to - from) * (end_ - begin_);
}

/// On a logarithmic scale that spans too little for powers of ten, 1, 2 and 5 times them serve, and
/// where even these are too few, round numbers.
std::vector<double> Axis::ticks(int count) const {
  if (scale_ == Scale::linear) return nice_ticks(low_, high_, count);
  std::vector<double> ticks = power_ticks(low_, high_, scale_ == Scale::log2 ? 2 : 10, count);
  if (scale_ == Scale::log10 && ticks.size() < 3) {
    ticks.clear();
    for (double power = std::pow(10, std::floor(std::log10(low_))); power <= high_; power *= 10) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        if (factor * power >= low_ && factor * power <= high_) ticks.push_back(factor * power);
      }
    }
  }
  const std::size_t enough = scale_ == Scale::log2 ? 1 : 3;
  return ticks.size() >= enough ? ticks : nice_ticks(low_, high_, count);
}

bool can_be_drawn(double value, Scale scale) {
  return std::abs(value) < kLargest && (scale == Scale::linear || value > 1 / kLargest);
}

std::vector<Point> thin(const std::vector<Point>& points, std::size_t limit) {
  if (points.size() <= limit || limit < 8) return points;
  const std::size_t stretches = limit / 4;
  std::vector<Point> kept{points.front()};
  for (std::size_t i = 0; i < stretches; ++i) {
    const std::size_t begin = std::max<std::size_t>(1, i * points.size() / stretches);
    const std::size_t end = std::min((i + 1) * points.size() / stretches, points.size() - 1);
    std::size_t lowest = SIZE_MAX, highest = SIZE_MAX, gap = SIZE_MAX;
    for (std::size_t at = begin; at < end; ++at) {
      if (!std::isfinite(points[at].y)) {
        gap = at;
        continue;
      }
      if (lowest == SIZE_MAX || points[at].y < points[lowest].y) lowest = at;
      if (highest == SIZE_MAX || points[at].y > points[highest].y) highest = at;
    }
    std::vector<std::size_t> chosen{lowest, highest, gap};
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
    for (const std::size_t at : chosen) {
      if (at != SIZE_MAX) kept.push_back(points[at]);
    }
  }
  kept.push_back(points.back());
  return kept;
}

}  // namespace cupel::pipeline::chart

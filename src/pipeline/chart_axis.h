// The arithmetic of charts: round ticks, values to places, long series made short.
#pragma once

#include <vector>

namespace cupel::pipeline::chart {

/// y is not finite where there is no value: the line has a gap there.
struct Point {
  double x = 0, y = 0;
  bool operator==(const Point&) const = default;
};

enum class Scale { linear, log2, log10 };

/// Multiples of 1, 2 or 5 times a power of ten within [low, high], about `count` of them.
std::vector<double> nice_ticks(double low, double high, int count);
/// Powers of `base` within [low, high], thinned to at most `count`.
std::vector<double> power_ticks(double low, double high, double base, int count);

/// Maps values to places between `begin` and `end` (in the units of the picture).
class Axis {
 public:
  /// A range without width is widened, so that a constant series lies in the middle. `low` must be
  /// positive on a logarithmic scale.
  Axis(double low, double high, Scale scale, double begin, double end);

  double place(double value) const;
  std::vector<double> ticks(int count) const;
  double low() const { return low_; }
  double high() const { return high_; }

 private:
  double low_, high_;
  Scale scale_;
  double begin_, end_;
};

/// Whether the scale has a place for the value; huge ones have none, so differences stay finite.
bool can_be_drawn(double value, Scale scale);

/// At most about `limit` points: of each stretch of neighbours the lowest, the highest and a gap if
/// there is one, and the ends of the series. Points are ordered by x.
std::vector<Point> thin(const std::vector<Point>& points, std::size_t limit);

}  // namespace cupel::pipeline::chart

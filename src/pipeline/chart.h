// Charts as inline SVG inside a <figure>: lines, steps, bars, histograms, intervals, heat maps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/stats.h"
#include "pipeline/chart_axis.h"

namespace cupel::pipeline::chart {

// Titles, names and labels are plain text. A colour is an index into the eight of the style sheet.
// Every point can be read off by pointing at it.

struct Series {
  std::string name;
  std::vector<Point> points;  // by x; of any length: what is drawn is thinned
  int color = 0;
  bool marks = false;  // few measured points, each with a dot
  bool faint = false;  // one of many, without a name of its own
};

struct LineChart {
  std::string title;
  std::string note = {};  // beside the title: what the figure means
  std::string x_label = "step";
  std::string y_label = {};  // unit
  Scale scale = Scale::linear;
  bool steps = false;      // the value holds until the next point
  bool from_zero = false;  // the axis begins at 0
  std::vector<Series> series = {};
};

/// Empty if no series has a point that can be drawn.
std::string line_chart(const LineChart& chart);

struct Bar {
  std::string label;
  double value = 0;
  std::string text = {};  // the value as it is written
  int color = 0;
};
struct BarChart {
  std::string title;
  std::string note = {};
  std::vector<Bar> bars = {};
};
/// Horizontal, from zero; empty without a bar.
std::string bar_chart(const BarChart& chart);

/// A value for each of the histogram's names.
struct Bin {
  double from = 0, to = 0;
  std::vector<double> values = {};
};
struct Histogram {
  std::string title;
  std::string note = {};
  std::string x_label = {};
  std::vector<std::string> names = {};  // of what a bin holds, from the bottom up
  std::vector<Bin> bins = {};           // without overlap, from low to high
  std::optional<double> threshold = {};
};
/// Columns from zero, the parts of a bin one on the other; empty without a bin that holds anything.
std::string histogram(const Histogram& histogram);

struct Estimate {
  std::string label;
  double value = 0;
  std::optional<Interval> interval = {};
  std::optional<double> baseline = {};  // a hollow mark
};
struct IntervalChart {
  std::string title;
  std::string note = {};
  std::vector<Estimate> estimates = {};
  bool shares = true;  // values that all lie within 0 and 1 are
};
/// A row an estimate, over one axis; shares are shown between 0 and 1. Empty without a row.
std::string interval_chart(const IntervalChart& chart);

/// values[row][column]; not finite: an empty cell. `x` names the columns.
struct HeatMap {
  std::string title;
  std::string note = {};
  std::string x_label = "step";
  std::vector<std::string> rows = {};
  std::vector<double> x = {};
  std::vector<std::vector<double>> values = {};
};
/// Neighbouring columns are averaged so that at most 3,000 cells are drawn.
std::string heat_map(const HeatMap& map);

/// <figure> with its caption; `inner` is HTML.
std::string figure(const std::string& title, const std::string& note, const std::string& inner);

}  // namespace cupel::pipeline::chart

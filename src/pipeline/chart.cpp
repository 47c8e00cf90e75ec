#include "pipeline/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pipeline/html.h"

namespace cupel::pipeline::chart {
namespace {

// In units of the view box; the picture scales with its column.
constexpr double kWidth = 560, kHeight = 250, kLeft = 58, kRight = 12, kTop = 10, kBottom = 44;
constexpr std::size_t kDrawn = 800;  // points of a line
constexpr std::size_t kHover = 120;  // points of a line that show their value
constexpr std::size_t kLegend = 8;

struct Frame {
  Axis x, y;
};

Frame frame_of(const LineChart& chart) {
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (const Series& series : chart.series) {
    for (const Point& point : series.points) {
      if (!can_be_drawn(point.y, chart.scale) || !can_be_drawn(point.x, Scale::linear)) continue;
      x_low = std::min(x_low, point.x);
      x_high = std::max(x_high, point.x);
      y_low = std::min(y_low, point.y);
      y_high = std::max(y_high, point.y);
    }
  }
  if (chart.scale == Scale::linear && y_low < y_high) {
    const double room = (y_high - y_low) * 0.05;
    y_high += room;
    y_low = y_low >= 0 ? std::max(0.0, y_low - room) : y_low - room;
  } else if (chart.scale == Scale::log2 && y_low < y_high) {
    y_low /= 1.3;
    y_high *= 1.3;
  }
  if (chart.from_zero) y_low = std::min(0.0, y_low);
  return {Axis(x_low, x_high, Scale::linear, kLeft, kWidth - kRight),
          Axis(y_low, y_high, chart.scale, kHeight - kBottom, kTop)};
}

/// Powers of two as they are known: 65536 rather than 65.5k.
std::string tick_text(double tick, Scale scale) {
  if (scale != Scale::log2) return html::short_number(tick);
  const double exponent = std::log2(tick);
  if (tick >= 1 && tick < 1e5) return fmt::format("{:.0f}", tick);
  return exponent == std::round(exponent) ? fmt::format("2^{:.0f}", exponent)
                                          : html::short_number(tick);
}

std::string grid(const Frame& frame, const LineChart& chart) {
  std::string svg;
  for (const double tick : frame.y.ticks(5)) {
    const double y = frame.y.place(tick);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        kLeft, kWidth - kRight, y, kLeft - 8, y + 4, tick_text(tick, chart.scale));
  }
  for (const double tick : frame.x.ticks(6)) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       frame.x.place(tick), kHeight - kBottom + 18, html::short_number(tick));
  }
  svg += fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>\n", kLeft,
                     kWidth - kRight, kHeight - kBottom);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 6, html::escape(chart.x_label));
  return svg;
}

/// The path of one line; it begins anew behind every gap.
std::string path_of(const std::vector<Point>& points, const Frame& frame, const LineChart& chart) {
  std::string path;
  bool open = false;
  for (const Point& point : points) {
    if (!can_be_drawn(point.y, chart.scale)) {
      open = false;
      continue;
    }
    const double x = frame.x.place(point.x), y = frame.y.place(point.y);
    if (open && chart.steps) {
      path += fmt::format("H{:.1f}V{:.1f}", x, y);
    } else {
      path += fmt::format("{}{:.1f} {:.1f}", open ? 'L' : 'M', x, y);
    }
    open = true;
  }
  return path;
}

std::string points_of(const Series& series, const Frame& frame, const LineChart& chart) {
  std::string svg;
  for (const Point& point : thin(series.points, kHover)) {
    if (!can_be_drawn(point.y, chart.scale)) continue;
    svg += fmt::format(
        "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"><title>{} {}: {} {}</title>"
        "</circle>\n",
        series.marks ? "fill mark" : "hit", frame.x.place(point.x), frame.y.place(point.y),
        series.marks ? 4 : 5, html::escape(chart.x_label), html::number(point.x),
        html::escape(series.name), html::number(point.y));
  }
  return svg;
}

std::string line(const Series& series, const Frame& frame, const LineChart& chart) {
  std::string svg = fmt::format("<path class=\"line{}\" d=\"{}\"/>\n", series.faint ? " faint" : "",
                                path_of(thin(series.points, kDrawn), frame, chart));
  const bool alone = std::count_if(series.points.begin(), series.points.end(), [&](Point point) {
                       return can_be_drawn(point.y, chart.scale);
                     }) == 1;
  if (!series.faint) {
    Series dotted = series;
    dotted.marks = series.marks || alone;
    svg += points_of(dotted, frame, chart);
  }
  return fmt::format("<g class=\"s{}\">{}</g>\n", series.color % 8, svg);
}

/// Name and last value of every line that has a name of its own.
std::string legend(const LineChart& chart) {
  std::string items;
  std::size_t count = 0;
  for (const Series& series : chart.series) {
    if (series.faint || ++count > kLegend) continue;
    double last = NAN;
    for (const Point& point : series.points) {
      if (std::isfinite(point.y)) last = point.y;
    }
    items += fmt::format(
        "<li><svg viewBox=\"0 0 20 9\" class=\"s{}\"><path class=\"line\" d=\"M1 5H19\"/>{}</svg>"
        "{} <b>{}</b></li>\n",
        series.color % 8,
        series.marks ? "<circle class=\"fill mark\" cx=\"10\" cy=\"5\" r=\"4\"/>" : "",
        html::escape(series.name), html::number(last));
  }
  return html::element("ul", "legend", items);
}

}  // namespace

std::string line_chart(const LineChart& chart) {
  const bool drawable = std::any_of(chart.series.begin(), chart.series.end(), [&](const auto& s) {
    return std::any_of(s.points.begin(), s.points.end(), [&](const Point& point) {
      return can_be_drawn(point.y, chart.scale) && can_be_drawn(point.x, Scale::linear);
    });
  });
  if (!drawable) return {};
  const Frame frame = frame_of(chart);
  std::string inner = grid(frame, chart);
  for (const Series& series : chart.series) {
    if (!series.points.empty()) inner += line(series, frame, chart);
  }
  const std::string svg =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n", kWidth,
                  kHeight, html::escape(chart.title), inner);
  std::string note = chart.y_label;
  if (!chart.note.empty()) note += (note.empty() ? "" : " · ") + chart.note;
  return figure(chart.title, note, legend(chart) + svg);
}

std::string figure(const std::string& title, const std::string& note, const std::string& inner) {
  const std::string caption =
      html::escape(title) + (note.empty() ? "" : " <small>" + html::escape(note) + "</small>");
  return html::element("figure", "", html::element("figcaption", "", caption) + inner);
}

}  // namespace cupel::pipeline::chart

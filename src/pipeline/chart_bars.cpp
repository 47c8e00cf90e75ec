#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "pipeline/chart.h"
#include "pipeline/html.h"

namespace cupel::pipeline::chart {
namespace {

constexpr double kBarsWidth = 560, kRow = 46, kAxis = 26, kEdge = 8;
constexpr std::size_t kNameCharacters = 48, kMaxRows = 64, kMaxCells = 3000;

std::string svg(double height, const std::string& title, const std::string& inner) {
  return fmt::format("<svg viewBox=\"0 0 {} {:.0f}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                     kBarsWidth, height, html::escape(title), inner);
}

std::string text(double x, double y, const char* anchor, const char* classes,
                 const std::string& plain) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n",
                     x, y, anchor, classes, html::escape(clip(plain, kNameCharacters)));
}

std::string with_interval(const Estimate& estimate) {
  std::string out = html::number(estimate.value);
  if (estimate.interval) {
    out += fmt::format("  [{}, {}]", html::number(estimate.interval->low),
                       html::number(estimate.interval->high));
  }
  return out;
}

Axis axis_of(const std::vector<Estimate>& estimates, bool shares) {
  double low = INFINITY, high = -INFINITY;
  const auto see = [&](double value) {
    if (!can_be_drawn(value, Scale::linear)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  };
  for (const Estimate& estimate : estimates) {
    see(estimate.value);
    if (estimate.interval) see(estimate.interval->low);
    if (estimate.interval) see(estimate.interval->high);
    if (estimate.baseline) see(*estimate.baseline);
  }
  if (low > high) low = high = 0;
  const bool is_share = shares && low >= 0 && high <= 1;  // read against 0 and 1
  const double room = (high - low) * 0.06;
  return is_share ? Axis(0, 1, Scale::linear, kEdge, kBarsWidth - kEdge)
                  : Axis(low - room, high + room, Scale::linear, kEdge, kBarsWidth - kEdge);
}

std::string estimate_row(const Estimate& estimate, const Axis& axis, double y) {
  std::string row = text(kEdge, y + 14, "start", "name", estimate.label) +
                    text(kBarsWidth - kEdge, y + 14, "end", "strong", with_interval(estimate));
  const double middle = y + 31;
  std::string marks;
  if (estimate.interval && can_be_drawn(estimate.interval->low, Scale::linear) &&
      can_be_drawn(estimate.interval->high, Scale::linear)) {
    marks += fmt::format(
        "<line class=\"whisker\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>\n",
        axis.place(estimate.interval->low), axis.place(estimate.interval->high), middle);
  }
  if (can_be_drawn(estimate.value, Scale::linear)) {
    marks += fmt::format(
        "<circle class=\"fill mark\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\"><title>{}: {}</title>"
        "</circle>\n",
        axis.place(estimate.value), middle, html::escape(estimate.label),
        html::escape(with_interval(estimate)));
  }
  row += "<g class=\"s0\">" + marks + "</g>\n";
  if (estimate.baseline && can_be_drawn(*estimate.baseline, Scale::linear)) {
    row += fmt::format(
        "<g class=\"s1\"><circle fill=\"none\" stroke-width=\"2\" cx=\"{:.1f}\" cy=\"{:.1f}\" "
        "r=\"5\"><title>baseline: {}</title></circle></g>\n",
        axis.place(*estimate.baseline), middle, html::number(*estimate.baseline));
  }
  return row;
}

/// Mean of the finite values of columns [begin, end).
double cell_mean(const std::vector<double>& row, std::size_t begin, std::size_t end) {
  double sum = 0, count = 0;
  for (std::size_t i = begin; i < std::min(end, row.size()); ++i) {
    if (!can_be_drawn(row[i], Scale::linear)) continue;
    sum += row[i];
    ++count;
  }
  return count > 0 ? sum / count : NAN;
}

}  // namespace

std::string bar_chart(const BarChart& chart) {
  if (chart.bars.empty()) return {};
  double most = 0;
  for (const Bar& bar : chart.bars) {
    if (can_be_drawn(bar.value, Scale::linear)) most = std::max(most, bar.value);
  }
  std::string inner;
  double y = 0;
  for (const Bar& bar : chart.bars) {
    const bool drawn = most > 0 && can_be_drawn(bar.value, Scale::linear) && bar.value > 0;
    const double width = drawn ? std::max(1.0, bar.value / most * (kBarsWidth - 2 * kEdge)) : 0;
    const std::string value = bar.text.empty() ? html::number(bar.value) : bar.text;
    inner += text(kEdge, y + 14, "start", "name", bar.label) +
             text(kBarsWidth - kEdge, y + 14, "end", "strong", value);
    inner += fmt::format(
        "<g class=\"s{}\"><rect class=\"fill\" x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"14\" "
        "rx=\"3\"><title>{}: {}</title></rect></g>\n",
        bar.color % 8, kEdge, y + 22, width, html::escape(bar.label), html::escape(value));
    y += kRow;
  }
  return figure(chart.title, chart.note, svg(y, chart.title, inner));
}

std::string interval_chart(const IntervalChart& chart) {
  if (chart.estimates.empty()) return {};
  const Axis axis = axis_of(chart.estimates, chart.shares);
  const double height = kRow * static_cast<double>(chart.estimates.size());
  std::string inner;
  for (const double tick : axis.ticks(6)) {
    const double x = axis.place(tick);
    inner += fmt::format(
        "<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"20\" y2=\"{1:.1f}\"/>\n", x,
        height + 4);
    const char* anchor = x < 20 ? "start" : x > kBarsWidth - 20 ? "end" : "middle";
    inner += text(x, height + kAxis - 6, anchor, "", html::short_number(tick));
  }
  double y = 0;
  for (const Estimate& estimate : chart.estimates) {
    inner += estimate_row(estimate, axis, y);
    y += kRow;
  }
  return figure(chart.title, chart.note, svg(height + kAxis, chart.title, inner));
}

std::string heat_map(const HeatMap& map) {
  const std::size_t rows = std::min({map.rows.size(), map.values.size(), kMaxRows});
  const std::size_t columns = map.x.size();
  if (rows == 0 || columns == 0) return {};
  const std::size_t drawn = std::min(columns, std::max<std::size_t>(1, kMaxCells / rows));
  double low = INFINITY, high = -INFINITY;
  std::vector<std::vector<double>> cells(rows, std::vector<double>(drawn, NAN));
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < drawn; ++c) {
      const double mean = cell_mean(map.values[r], c * columns / drawn, (c + 1) * columns / drawn);
      cells[r][c] = mean;
      if (!std::isfinite(mean)) continue;
      low = std::min(low, mean);
      high = std::max(high, mean);
    }
  }
  if (low > high) return {};
  constexpr double kNames = 92, kCell = 15;
  const double width = (kBarsWidth - kNames - kEdge) / static_cast<double>(drawn);
  std::string inner;
  for (std::size_t r = 0; r < rows; ++r) {
    const double y = kCell * static_cast<double>(r);
    if (rows <= 8 || r % 2 == 0) inner += text(kNames - 8, y + 11, "end", "", map.rows[r]);
    for (std::size_t c = 0; c < drawn; ++c) {
      if (!std::isfinite(cells[r][c])) continue;
      const double strength = high > low ? (cells[r][c] - low) / (high - low) : 0.5;
      inner += fmt::format(
          "<rect class=\"cell\" x=\"{:.1f}\" y=\"{:.0f}\" width=\"{:.2f}\" height=\"{}\" "
          "fill-opacity=\"{:.2f}\"><title>{} {} {}: {}</title></rect>\n",
          kNames + width * static_cast<double>(c), y, width + 0.3, kCell - 1,
          0.06 + 0.94 * strength, html::escape(map.rows[r]), html::escape(map.x_label),
          html::number(map.x[c * columns / drawn]), html::number(cells[r][c]));
    }
  }
  const double bottom = kCell * static_cast<double>(rows) + 16;
  inner += text(kNames, bottom, "start", "", html::short_number(map.x.front())) +
           text(kBarsWidth - kEdge, bottom, "end", "", html::short_number(map.x.back())) +
           text((kNames + kBarsWidth - kEdge) / 2, bottom, "middle", "", map.x_label);
  const std::string range =
      fmt::format("pale {} · full {}", html::short_number(low), html::short_number(high));
  const std::string note = map.note.empty() ? range : map.note + " · " + range;
  return figure(map.title, note, svg(bottom + 6, map.title, inner));
}

}  // namespace cupel::pipeline::chart

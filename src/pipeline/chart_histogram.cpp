#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pipeline/chart.h"
#include "pipeline/html.h"

namespace cupel::pipeline::chart {
namespace {

/// Of the whole picture, and of the margins around its plot; CSS pixels.
struct Plot {
  static constexpr double kWidth = 560, kHeight = 210, kLeft = 58, kRight = 14, kTop = 22,
                          kBottom = 44;
};
constexpr double kLeastWidth = 2, kGap = 1;  // of a column, and between two

double total(const Bin& bin) {
  double sum = 0;
  for (const double value : bin.values) sum += value;
  return sum;
}

bool can_be_drawn(const Bin& bin) {
  const bool ends = chart::can_be_drawn(bin.from, Scale::linear) &&
                    chart::can_be_drawn(bin.to, Scale::linear) && bin.from <= bin.to;
  return ends && std::ranges::all_of(bin.values, [](double value) {
           return value >= 0 && chart::can_be_drawn(value, Scale::linear);
         });
}

std::string column(const Bin& bin, const Histogram& histogram, const Axis& x, const Axis& y) {
  std::string parts;
  const double left = x.place(bin.from);
  const double width = std::max(kLeastWidth, x.place(bin.to) - left - kGap);
  double below = 0;
  for (std::size_t i = 0; i < std::min(bin.values.size(), histogram.names.size()); ++i) {
    const double top = y.place(below + bin.values[i]), bottom = y.place(below);
    below += bin.values[i];
    if (bin.values[i] == 0) continue;
    parts += fmt::format(
        "<g class=\"s{}\"><rect class=\"fill\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{:.1f}\"><title>{} to {}: {} {}</title></rect></g>\n",
        i % 8, left, std::min(top, bottom - 1), width, std::max(1.0, bottom - top),
        html::number(bin.from), html::number(bin.to), html::escape(histogram.names[i]),
        html::number(bin.values[i]));
  }
  return parts;
}

std::string frame(const Histogram& histogram, const Axis& x, const Axis& y) {
  constexpr double kBase = Plot::kHeight - Plot::kBottom;
  std::string svg;
  for (const double tick : y.ticks(4)) {
    if (tick != std::floor(tick)) continue;  // values are counts
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
        Plot::kLeft, Plot::kWidth - Plot::kRight, y.place(tick), Plot::kLeft - 8, y.place(tick) + 4,
        html::short_number(tick));
  }
  for (const double tick : x.ticks(6)) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       x.place(tick), kBase + 18, html::short_number(tick));
  }
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     (Plot::kLeft + Plot::kWidth - Plot::kRight) / 2, Plot::kHeight - 6,
                     html::escape(histogram.x_label));
  return svg;
}

/// A dashed line over the columns, with its value above.
std::string threshold(double value, const Axis& x) {
  const double at = x.place(value);
  const char* anchor = at < Plot::kWidth / 4       ? "start"
                       : at > Plot::kWidth * 3 / 4 ? "end"
                                                   : "middle";
  return fmt::format(
      "<g class=\"s6\"><line class=\"line dash\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" "
      "y2=\"{2}\"/></g><text x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"{4}\" "
      "class=\"strong\">threshold "
      "{5}</text>\n",
      at, Plot::kTop - 6, Plot::kHeight - Plot::kBottom, Plot::kTop - 11, anchor,
      html::number(value));
}

/// Each name with its sum.
std::string legend(const Histogram& histogram, const std::vector<Bin>& bins) {
  std::string items;
  for (std::size_t i = 0; i < histogram.names.size(); ++i) {
    double sum = 0;
    for (const Bin& bin : bins) sum += i < bin.values.size() ? bin.values[i] : 0;
    items += fmt::format(
        "<li><svg viewBox=\"0 0 20 9\" class=\"s{}\"><rect class=\"fill\" x=\"5\" y=\"0\" "
        "width=\"9\" height=\"9\"/></svg>{} <b>{}</b></li>\n",
        i % 8, html::escape(histogram.names[i]), html::number(sum));
  }
  return html::element("ul", "legend", items);
}

}  // namespace

std::string histogram(const Histogram& histogram) {
  std::vector<Bin> bins;
  for (const Bin& bin : histogram.bins)
    if (can_be_drawn(bin)) bins.push_back(bin);
  double most = 0;
  for (const Bin& bin : bins) most = std::max(most, total(bin));
  if (!(most > 0)) return {};
  double low = bins.front().from, high = bins.back().to;
  const bool has_threshold =
      histogram.threshold && chart::can_be_drawn(*histogram.threshold, Scale::linear);
  if (has_threshold) {
    low = std::min(low, *histogram.threshold);
    high = std::max(high, *histogram.threshold);
  }
  const Axis x(low, high, Scale::linear, Plot::kLeft, Plot::kWidth - Plot::kRight);
  const Axis y(0, most, Scale::linear, Plot::kHeight - Plot::kBottom, Plot::kTop);
  std::string inner = frame(histogram, x, y);
  for (const Bin& bin : bins) inner += column(bin, histogram, x, y);
  inner += fmt::format("<line class=\"axis\" x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\"/>\n",
                       Plot::kLeft, Plot::kWidth - Plot::kRight, Plot::kHeight - Plot::kBottom);
  if (has_threshold) inner += threshold(*histogram.threshold, x);
  const std::string svg =
      fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                  Plot::kWidth, Plot::kHeight, html::escape(histogram.title), inner);
  return figure(histogram.title, histogram.note, legend(histogram, bins) + svg);
}

}  // namespace cupel::pipeline::chart

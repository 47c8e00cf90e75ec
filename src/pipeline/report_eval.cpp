#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <span>

#include "pipeline/chart.h"
#include "pipeline/html.h"
#include "pipeline/report_html.h"

namespace cupel::pipeline {
namespace {

using html::element;
using html::escape;

std::string written(const std::optional<Interval>& interval) {
  if (!interval) return "–";
  return fmt::format("[{}, {}]", html::number(interval->low), html::number(interval->high));
}

/// The baseline of a task (an object with a value) or of a claim (a number).
std::optional<double> baseline_of(const json::Value& row) {
  for (const char* path : {"baseline.value", "baseline"}) {
    const double value = number_at(row, path);
    if (std::isfinite(value)) return value;
  }
  return std::nullopt;
}

std::string baseline_text(const json::Value& row) {
  const std::optional<double> value = baseline_of(row);
  const std::string name = text_at(row, "baseline.name");
  const double majority = number_at(row, "majority");
  std::string text =
      value ? html::number(*value) + (name.empty() ? "" : " (" + escape(name) + ")") : "";
  if (std::isfinite(majority))
    text += (text.empty() ? "" : ", ") + html::number(majority) + " (always the same class)";
  return text.empty() ? "–" : text;
}

std::string bar_text(const json::Value& row) {
  const std::string bar = text_at(row, "bar");
  return bar.empty() ? "" : "bar " + bar;
}

/// residual_at_fit_0.7: a point of the curve of `residual` over `fit`.
struct CurvePoint {
  std::string name, setting;
  double at = 0;
};

std::optional<CurvePoint> curve_point(const std::string& metric) {
  constexpr std::string_view kAt = "_at_";
  const std::size_t at = metric.find(kAt), number = metric.rfind('_');
  if (at == std::string::npos || number < at + kAt.size()) return std::nullopt;
  const std::size_t setting = at + kAt.size();
  CurvePoint point{metric.substr(0, at), metric.substr(setting, number - setting)};
  const char* last = metric.data() + metric.size();
  const auto [end, error] = std::from_chars(metric.data() + number + 1, last, point.at);
  if (error != std::errc() || end != last) return std::nullopt;
  return point;
}

/// One chart a claim and setting, one line a figure, over all rows that are points of one.
std::string curves(std::span<const json::Value> rows) {
  std::map<std::pair<std::string, std::string>, std::map<std::string, std::vector<chart::Point>>>
      found;
  for (const json::Value& row : rows) {
    const double value = number_at(row, "value");
    const auto point = curve_point(text_at(row, "metric"));
    if (point && std::isfinite(value))
      found[{text_at(row, "id"), point->setting}][point->name].push_back({point->at, value});
  }
  std::string charts;
  for (auto& [key, lines] : found) {
    chart::LineChart chart{.title = key.first, .note = "over " + key.second, .x_label = key.second};
    for (auto& [name, points] : lines) {
      std::sort(points.begin(), points.end(),
                [](const chart::Point& a, const chart::Point& b) { return a.x < b.x; });
      chart.series.push_back({.name = name,
                              .points = std::move(points),
                              .color = static_cast<int>(chart.series.size()),
                              .marks = true});
    }
    charts += chart::line_chart(chart);
  }
  return charts;
}

std::string perplexity_text(const json::Value& task) {
  const double value = number_at(task, "perplexity");
  return std::isfinite(value) ? html::number(value) : "–";
}

std::string verdict(const json::Value& row) {
  const json::Value* pass = row.find("pass");
  if (pass == nullptr || !pass->is_bool()) return escape(text_at(row, "reason"));
  return pass->as_bool("pass") ? element("b", "good", "met") : element("b", "bad", "missed");
}

/// All rows of one claim.
std::string claim_section(std::span<const json::Value> rows) {
  const std::string id = text_at(rows[0], "id");
  std::vector<std::vector<std::string>> cells;
  std::string figures = curves(rows);
  for (const json::Value& row : rows) {
    const double value = number_at(row, "value"), worst = number_at(row, "worst");
    const std::optional<Interval> interval = interval_at(row, "interval");
    const std::string metric = text_at(row, "metric"), bar = bar_text(row);
    cells.push_back({escape(metric), html::number(value), written(interval),
                     std::isfinite(worst) ? html::number(worst) : "–", escape(text_at(row, "bar")),
                     baseline_text(row), verdict(row)});
    if (!std::isfinite(value) || bar.empty()) continue;
    figures += chart::interval_chart({.title = id + " · " + metric,
                                      .note = bar,
                                      .estimates = {{.label = "measured",
                                                     .value = value,
                                                     .interval = interval,
                                                     .baseline = baseline_of(row)}}});
  }
  return element("h3", "", escape(id)) + element("p", "", escape(text_at(rows[0], "statement"))) +
         html::table({"metric", "value", "95 % interval", "worst seed", "bar", "baseline", ""},
                     cells, {1, 2, 3, 4, 5}) +
         (figures.empty() ? "" : element("div", "charts", figures));
}

}  // namespace

std::string eval_section(const json::Value& report) {
  const json::Value* tasks = report.find("tasks");
  if (tasks == nullptr || !tasks->is_object()) return html::value(report);
  std::map<std::string, chart::IntervalChart> charts;  // one a metric: they share an axis
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, task] : tasks->as_object("tasks")) {
    const std::string metric = text_at(task, "metric");
    const double value = number_at(task, "value");
    const std::optional<Interval> interval = interval_at(task, "interval");
    rows.push_back({escape(name), escape(metric), html::number(value), written(interval),
                    html::number(number_at(task, "n")), perplexity_text(task),
                    baseline_text(task)});
    charts[metric].estimates.push_back(
        {.label = name, .value = value, .interval = interval, .baseline = baseline_of(task)});
  }
  std::string figures, classes;
  for (const auto& [name, task] : tasks->as_object("tasks")) classes += classes_section(name, task);
  for (auto& [metric, chart] : charts) {
    chart.title = metric;
    chart.note = "with 95 % interval; hollow: baseline";
    figures += chart::interval_chart(chart);
  }
  return html::table({"task", "metric", "value", "95 % interval", "n", "perplexity", "baseline"},
                     rows, {2, 3, 4, 5, 6}) +
         element("div", "charts", figures) + classes;
}

std::string claims_section(const json::Value& report) {
  const json::Value* claims = report.find("claims");
  if (claims == nullptr || !claims->is_array()) return html::value(report);
  const json::Array& rows = claims->as_array("claims");
  std::string out;
  for (auto row = rows.begin(); row != rows.end();) {
    const std::string id = text_at(*row, "id");
    const auto end =
        std::find_if(row, rows.end(), [&](const json::Value& r) { return text_at(r, "id") != id; });
    out += claim_section({row, end});
    row = end;
  }
  return out;
}

}  // namespace cupel::pipeline

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "pipeline/chart.h"
#include "pipeline/html.h"
#include "pipeline/report_html.h"

namespace cupel::pipeline {
namespace {

using chart::LineChart;
using chart::Series;
using html::element;
using html::escape;

const std::vector<chart::Point>* find_metric(const RunFolder& run, const std::string& name) {
  const auto found = run.metrics.find(name);
  return found == run.metrics.end() ? nullptr : &found->second;
}

double last_of(const RunFolder& run, const std::string& name) {
  const auto* points = find_metric(run, name);
  return points == nullptr || points->empty() ? NAN : points->back().y;
}

/// The report's figure, or while there is none the metric's last value.
double figure_of(const json::Value& report, const RunFolder& run, const std::string& key,
                 const std::string& metric) {
  const double value = number_at(report, key);
  return std::isfinite(value) ? value : last_of(run, metric);
}

std::string precision_note(const json::Value& report) {
  const std::string requested = text_at(report, "precision.requested");
  const std::string reason = text_at(report, "precision.reason");
  return (requested.empty() ? "" : "asked: " + requested) + (reason.empty() ? "" : "; " + reason);
}

std::string tiles(const json::Value& report, const RunFolder& run) {
  std::vector<html::Tile> tiles;
  const auto add = [&](const char* label, double value, std::string text, std::string note = {}) {
    if (std::isfinite(value)) tiles.push_back({label, std::move(text), std::move(note)});
  };
  const double val_loss = figure_of(report, run, "val_loss", "val_loss");
  const double train_loss = figure_of(report, run, "train_loss", "loss");
  const double bits = number_at(report, "val_bits_per_byte");
  const double rate = figure_of(report, run, "tokens_per_second", "tokens_per_second");
  const double steps = number_at(report, "steps"), tokens = number_at(report, "tokens");
  const double p50 = number_at(report, "step_ms.p50"), p95 = number_at(report, "step_ms.p95");
  const double parameters = number_at(report, "parameters");
  const double active = number_at(report, "active_parameters");
  const double peak = number_at(report, "peak_tensor_bytes");
  const double planned = number_at(report, "planned_memory_bytes");
  const double seconds = number_at(report, "seconds");
  add("validation loss", val_loss, html::number(val_loss),
      "nats a token; training " + html::number(train_loss));
  add("bits per byte", bits, html::number(bits), "of the validation text");
  add("tokens per second", rate, html::number(std::round(rate)),
      std::isfinite(p50) ? fmt::format("step {:.4g} ms, 95 % within {:.4g} ms", p50, p95) : "");
  add("steps", steps, html::number(steps),
      std::isfinite(tokens) ? html::short_number(tokens) + " tokens" : "");
  add("parameters", parameters, html::short_number(parameters),
      std::isfinite(active) ? html::short_number(active) + " active a token" : "");
  add("peak tensor memory", peak, html::byte_size(peak),
      std::isfinite(planned) && planned > 0
          ? "planned " + html::byte_size(planned) +
                fmt::format(" ({:+.1f} %)", 100 * (peak / planned - 1))
          : "");
  add("time", seconds, html::duration(seconds));
  const std::string compute = text_at(report, "precision.compute");
  if (!compute.empty()) tiles.push_back({"precision", compute, precision_note(report)});
  const double scale = number_at(report, "loss_scale.final");
  add("loss scale at the end", scale, html::number(scale),
      html::number(number_at(report, "loss_scale.overflows")) + " overflows, " +
          html::number(number_at(report, "loss_scale.skipped_steps")) + " steps skipped");
  add("resumed from step", number_at(report, "resumed_from"),
      html::number(number_at(report, "resumed_from")));
  return html::tiles(tiles);
}

/// A chart of one metric; empty where it was not measured.
std::string single(const RunFolder& run, const std::string& metric, LineChart chart, int color) {
  const auto* points = find_metric(run, metric);
  if (points == nullptr) return {};
  chart.series.push_back({.name = "last", .points = *points, .color = color});
  return chart::line_chart(chart);
}

std::string loss_chart(const RunFolder& run) {
  LineChart chart{.title = "Loss", .y_label = "nats a token", .scale = chart::Scale::log10};
  if (const auto* points = find_metric(run, "loss"))
    chart.series.push_back({.name = "training", .points = *points, .color = 5});
  if (const auto* points = find_metric(run, "val_loss"))
    chart.series.push_back({.name = "validation", .points = *points, .color = 1, .marks = true});
  return chart::line_chart(chart);
}

struct Expert {
  int64_t layer = 0, expert = 0;
  const std::vector<chart::Point>* points = nullptr;
};

/// Metrics named expert_load/<layer>/<expert>, in order.
std::vector<Expert> experts_of(const RunFolder& run) {
  constexpr std::string_view kPrefix = "expert_load/";
  std::vector<Expert> experts;
  for (const auto& [name, points] : run.metrics) {
    if (!name.starts_with(kPrefix)) continue;
    Expert expert{.points = &points};
    const char* end = name.data() + name.size();
    const auto layer = std::from_chars(name.data() + kPrefix.size(), end, expert.layer);
    if (layer.ec != std::errc() || layer.ptr == end || *layer.ptr != '/') continue;
    const auto index = std::from_chars(layer.ptr + 1, end, expert.expert);
    if (index.ec == std::errc() && index.ptr == end) experts.push_back(expert);
  }
  std::sort(experts.begin(), experts.end(), [](const Expert& a, const Expert& b) {
    return std::pair(a.layer, a.expert) < std::pair(b.layer, b.expert);
  });
  return experts;
}

std::string expert_chart(const RunFolder& run) {
  const std::vector<Expert> experts = experts_of(run);
  if (experts.empty()) {
    return single(run, "max_expert_load",
                  {.title = "Busiest expert", .y_label = "load over the mean"}, 3);
  }
  chart::HeatMap map{.title = "Load of the experts", .note = "over the mean"};
  for (const chart::Point& point : *experts[0].points) map.x.push_back(point.x);
  for (const Expert& expert : experts) {
    map.rows.push_back(fmt::format("L{} E{}", expert.layer, expert.expert));
    std::vector<double>& row = map.values.emplace_back(map.x.size(), NAN);
    std::size_t column = 0;
    for (const chart::Point& point : *expert.points) {
      while (column < map.x.size() && map.x[column] < point.x) ++column;
      if (column < map.x.size() && map.x[column] == point.x) row[column] = point.y;
    }
  }
  return chart::heat_map(map);
}

std::string memory_chart(const json::Value& report) {
  const double peak = number_at(report, "peak_tensor_bytes");
  const double planned = number_at(report, "planned_memory_bytes");
  const double process = number_at(report, "peak_memory_bytes");
  chart::BarChart chart{.title = "Memory", .note = "what was planned, what was used"};
  const auto add = [&](const char* label, double bytes, int color) {
    if (std::isfinite(bytes) && bytes > 0)
      chart.bars.push_back({label, bytes, html::byte_size(bytes), color});
  };
  add("tensors, planned", planned, 6);
  add("tensors, peak", peak, 0);
  add("whole process, peak", process, 5);
  return chart::bar_chart(chart);
}

std::string sample_texts(const json::Value& report) {
  const json::Value* list = report.find("samples");
  if (list == nullptr || !list->is_array() || list->as_array("samples").empty()) return {};
  std::string cards;
  for (const json::Value& sample : list->as_array("samples")) {
    const auto text = [&](const char* heading, const char* key) {
      return element(
          "div", "",
          element("span", "note", heading) + element("pre", "box", escape(text_at(sample, key))));
    };
    cards += element(
        "div", "sample",
        element("span", "note", "prompt") + element("pre", "", escape(text_at(sample, "prompt"))) +
            element("div", "pair", text("before training", "before") + text("after", "after")));
  }
  return element("h2", "", "Samples") + element("div", "samples", cards);
}

}  // namespace

std::string train_section(const json::Value& report, const RunFolder& run) {
  const std::string charts =
      loss_chart(run) +
      single(run, "tokens_per_second",
             {.title = "Speed", .y_label = "tokens per second", .from_zero = true}, 2) +
      single(run, "learning_rate", {.title = "Learning rate", .from_zero = true}, 0) +
      single(run, "loss_scale",
             {.title = "Loss scale",
              .note = "halved by an overflow, doubled after a calm stretch",
              .scale = chart::Scale::log2,
              .steps = true},
             4) +
      single(run, "grad_norm",
             {.title = "Gradient norm", .note = "before clipping", .scale = chart::Scale::log10},
             7) +
      memory_chart(report) + expert_chart(run);
  return tiles(report, run) + (charts.empty() ? "" : element("div", "charts", charts)) +
         sample_texts(report);
}

}  // namespace cupel::pipeline

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "pipeline/chart.h"
#include "pipeline/html.h"
#include "pipeline/report_html.h"

namespace cupel::pipeline {
namespace {

using html::element;
using html::escape;

std::string compress_tiles(const json::Value& report) {
  const double before = number_at(report, "bytes.before"), after = number_at(report, "bytes.after");
  std::vector<html::Tile> tiles{
      {"channels pruned", fmt::format("{:.1f} %", 100 * number_at(report, "pruned_share")),
       "of every feed-forward layer"},
      {"size", html::byte_size(after), "from " + html::byte_size(before)},
      {"parameters", html::number(number_at(report, "parameters.after")),
       "from " + html::number(number_at(report, "parameters.before"))}};
  const double ratio = number_at(report, "latency_ratio");
  if (std::isfinite(ratio)) {
    tiles.push_back({"faster", html::number(ratio) + " ×", "median latency, over the faster fp32"});
    tiles.push_back({"accuracy lost", html::number(number_at(report, "accuracy_drop_points")),
                     "points; below 0: won"});
  }
  return html::tiles(tiles);
}

/// Accuracy and latency of each step, apart and against each other.
std::string chain(const json::Value& report) {
  chart::IntervalChart accuracy{.title = "Accuracy", .note = "with 95 % interval"};
  chart::BarChart latency{.title = "Latency", .note = "median, milliseconds a text"};
  chart::LineChart pareto{.title = "Accuracy over latency",
                          .note = "to the upper left is better",
                          .x_label = "milliseconds a text"};
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& step : list_at(report, "steps")) {
    const std::string& name = step.as_string("steps");
    const double share = number_at(report, "accuracy." + name),
                 median = number_at(report, "latency_ms." + name + ".p50");
    const auto interval = interval_at(report, "accuracy_interval." + name);
    accuracy.estimates.push_back({.label = name, .value = share, .interval = interval});
    latency.bars.push_back({.label = name, .value = median, .text = html::number(median)});
    pareto.series.push_back({.name = name,
                             .points = {{median, share}},
                             .color = static_cast<int>(pareto.series.size()),
                             .marks = true});
    rows.push_back(
        {escape(name), html::number(share),
         interval
             ? fmt::format("[{}, {}]", html::number(interval->low), html::number(interval->high))
             : "–",
         html::number(median), html::number(number_at(report, "latency_ms." + name + ".p95"))});
  }
  if (rows.empty()) return "";
  if (const double eager = number_at(report, "latency_ms.fp32_eager.p50"); std::isfinite(eager))
    rows.push_back({"fp32 in PyTorch's eager operators", "–", "–", html::number(eager),
                    html::number(number_at(report, "latency_ms.fp32_eager.p95"))});
  return html::table({"step", "accuracy", "95 % interval", "median ms", "95th"}, rows,
                     {1, 2, 3, 4}) +
         element("div", "charts",
                 chart::interval_chart(accuracy) + chart::bar_chart(latency) +
                     chart::line_chart(pareto));
}

/// A language model: what codes cost, and what they win.
std::string language(const json::Value& report, const json::Array& steps) {
  const double before = number_at(report, "bytes.before"), after = number_at(report, "bytes.after");
  const json::Value &first = steps.front(), &last = steps.back();
  const auto tile = [&](const char* name, const char* key, const std::string& note) {
    return html::Tile{name, html::number(number_at(last, key)), note};
  };
  std::vector<html::Tile> tiles{
      {"size", html::byte_size(after), "from " + html::byte_size(before)},
      tile("perplexity", "perplexity", "from " + html::number(number_at(first, "perplexity"))),
      tile("KL divergence", "kl_divergence", "nats a token"),
      tile("same best token", "top1_agreement", "share of tokens")};
  chart::IntervalChart divergence{.title = "KL divergence",
                                  .note = "nats a token, with 95 % interval",
                                  .estimates = {},
                                  .shares = false};
  chart::BarChart prefill{.title = "Prefill", .note = "tokens a second, a window at once"};
  chart::BarChart decode{.title = "Decode", .note = "tokens a second, one at a time"};
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& step : steps) {
    const std::string name = text_at(step, "name");
    const auto number = [&](const char* key) { return html::number(number_at(step, key)); };
    if (&step != &first)
      divergence.estimates.push_back({.label = name,
                                      .value = number_at(step, "kl_divergence"),
                                      .interval = interval_at(step, "kl_interval")});
    for (const auto& [bars, key] : {std::pair(&prefill, "prefill_tokens_per_second"),
                                    std::pair(&decode, "decode_tokens_per_second")})
      if (std::isfinite(number_at(step, key)))
        bars->bars.push_back({.label = name, .value = number_at(step, key), .text = number(key)});
    rows.push_back({escape(name), number("perplexity"), number("kl_divergence"),
                    number("top1_agreement"), number("prefill_tokens_per_second"),
                    number("decode_tokens_per_second")});
  }
  return html::tiles(tiles) +
         html::table({"step", "perplexity", "KL divergence", "same best", "prefill tokens/s",
                      "decode tokens/s"},
                     rows, {1, 2, 3, 4, 5}) +
         element("div", "charts",
                 chart::interval_chart(divergence) + chart::bar_chart(prefill) +
                     chart::bar_chart(decode));
}

/// What pruning cost where.
std::string layers(const json::Array& rounds) {
  chart::LineChart errors{.title = "Error of pruned layers",
                          .note = "after least squares, over the variance of the output",
                          .x_label = "layer",
                          .from_zero = true};
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& round : rounds) {
    const std::string name = "round " + html::number(number_at(round, "round"));
    chart::Series series{
        .name = name, .points = {}, .color = static_cast<int>(errors.series.size()), .marks = true};
    for (const json::Value& layer : list_at(round, "layers")) {
      series.points.push_back({number_at(layer, "layer"), number_at(layer, "error")});
      rows.push_back({escape(name), html::number(number_at(layer, "layer")),
                      html::number(number_at(layer, "channels_before")),
                      html::number(number_at(layer, "channels_after")),
                      html::number(number_at(layer, "error"))});
    }
    errors.series.push_back(std::move(series));
  }
  if (rows.empty()) return "";
  return element("div", "charts", chart::line_chart(errors)) +
         html::collapsible("Every layer",
                           html::table({"round", "layer", "channels before", "after", "error"},
                                       rows, {1, 2, 3, 4}));
}

}  // namespace

std::string compress_section(const json::Value& report) {
  if (const json::Array& steps = list_at(report, "language"); !steps.empty())
    return language(report, steps);
  return compress_tiles(report) + chain(report) + layers(list_at(report, "rounds"));
}

}  // namespace cupel::pipeline

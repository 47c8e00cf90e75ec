#include "pipeline/report_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "pipeline/chart.h"
#include "pipeline/html.h"

namespace cupel::pipeline {
namespace {

using html::element;
using html::escape;

constexpr std::size_t kMaxSettings = 200'000;  // bytes

std::string badge(RunFolder::Status status) {
  switch (status) {
    case RunFolder::Status::finished:
      return element("span", "badge good", "finished");
    case RunFolder::Status::running:
      return element("span", "badge busy", "running");
    case RunFolder::Status::stopped:
      break;
  }
  return element("span", "badge bad", "stopped before its end");
}

std::string title_of(const RunFolder& run) {
  std::string title;
  for (const std::string& verb : run.verbs) title += (title.empty() ? "" : ", ") + verb;
  return title.empty() ? "run" : title;
}

std::string header(const RunFolder& run, const std::filesystem::path& folder) {
  std::string line = element("code", "", escape(folder.filename().string()));
  const std::string version = text_at(run.manifest, "cupel"), seed = text_at(run.manifest, "seed");
  if (!version.empty()) line += " · cupel " + escape(version);
  if (!seed.empty()) line += " · random seed " + escape(seed);
  return element("h1", "", escape(title_of(run)) + badge(run.status)) + element("p", "note", line);
}

/// Numbers of the report's first level as tiles, everything else as tables.
std::string generic_section(const json::Value& report) {
  std::vector<html::Tile> tiles;
  json::Object rest;
  if (!report.is_object()) return html::value(report);
  for (const auto& [key, member] : report.as_object("")) {
    if (member.is_number()) {
      const double value = member.as_double(key);
      const bool is_size = key.ends_with("_bytes");
      tiles.push_back({key, is_size ? html::byte_size(value) : html::number(value)});
    } else {
      rest.emplace_back(key, member);
    }
  }
  return (tiles.empty() ? "" : html::tiles(tiles)) + (rest.empty() ? "" : html::value(rest));
}

/// A chart for every metric, for verbs and runs that have no section of their own.
std::string metric_charts(const RunFolder& run) {
  constexpr std::size_t kMaxCharts = 24;
  std::string charts;
  std::size_t count = 0;
  for (const auto& [name, points] : run.metrics) {
    const std::string chart =
        chart::line_chart({.title = name, .series = {{.name = "value", .points = points}}});
    if (chart.empty() || ++count > kMaxCharts) continue;
    charts += chart;
  }
  return charts.empty() ? "" : element("div", "charts", charts);
}

std::string section(const std::string& verb, const json::Value& report, const RunFolder& run) {
  if (verb == "train") return train_section(report, run);
  if (verb == "curate") return curate_section(report);
  if (verb == "compress") return compress_section(report);
  if (verb == "eval") return eval_section(report);
  if (verb == "claims") return claims_section(report);
  return generic_section(report);
}

std::string rejects(const RunFolder& run) {
  if (run.rejects.empty()) return {};
  std::vector<std::pair<std::string, int64_t>> rules(run.rejects.begin(), run.rejects.end());
  std::stable_sort(rules.begin(), rules.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  chart::BarChart bars{.title = "Rejected rows", .note = "by rule"};
  for (std::size_t i = 0; i < std::min<std::size_t>(rules.size(), 20); ++i) {
    bars.bars.push_back(
        {.label = rules[i].first, .value = static_cast<double>(rules[i].second), .color = 1});
  }
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& row : run.first_rejects) {
    const double line = number_at(row, "line");
    rows.push_back({escape(clip(text_at(row, "input"), 120)), html::number(line),
                    escape(text_at(row, "rule")), escape(clip(text_at(row, "text"), 200))});
  }
  const std::string table = html::table({"input", "line", "rule", "text"}, rows, {1});
  return element("h2", "", "Rejected rows") + element("div", "charts", bar_chart(bars)) +
         html::collapsible("The first ones", table);
}

std::string appendix(const RunFolder& run) {
  std::string out;
  if (!run.settings.empty()) {
    const std::string shown = run.settings.substr(0, kMaxSettings);
    out += html::collapsible(
        "Settings, resolved (config.yaml)",
        element("pre", "", escape(shown)) + (shown.size() < run.settings.size()
                                                 ? element("p", "note", "the rest is left out here")
                                                 : ""));
  }
  json::Object versions;
  for (const auto& [key, member] : run.manifest.as_object("manifest.json")) {
    if (key != "inputs" && key != "outputs") versions.emplace_back(key, member);
  }
  if (!versions.empty()) {
    out += html::collapsible("Versions, hashes and fingerprint (manifest.json)",
                             html::value(versions));
  }
  for (const char* list : {"inputs", "outputs"}) {
    const json::Value* files = run.manifest.find(list);
    if (files == nullptr || !files->is_object() || files->as_object(list).empty()) continue;
    out += html::collapsible(list[0] == 'i' ? "Inputs (SHA-256)" : "Outputs (SHA-256)",
                             html::value(*files));
  }
  return out.empty() ? "" : element("h2", "", "How it was made") + out;
}

std::string problems(const RunFolder& run) {
  std::string items;
  for (const std::string& problem : run.problems) items += element("li", "", escape(problem));
  return items.empty() ? "" : element("ul", "note", items);
}

}  // namespace

std::string report_html(const std::filesystem::path& run_folder) {
  const RunFolder run = read_run_folder(run_folder);
  std::filesystem::path folder = run_folder.lexically_normal();
  if (folder.filename().empty()) folder = folder.parent_path();
  std::string body = header(run, folder) + problems(run);
  bool has_charts = false;
  for (const std::string& verb : run.verbs) {
    if (run.verbs.size() > 1) body += element("h2", "", escape(verb));
    body += section(verb, *run.report.find(verb), run);
    has_charts = has_charts || verb == "train";
  }
  if (run.verbs.empty() && run.metrics.contains("loss")) {
    body += train_section(json::Object{}, run);  // still running, or stopped
    has_charts = true;
  }
  if (!has_charts) body += metric_charts(run);
  body += rejects(run) + appendix(run);
  return html::page("cupel: " + title_of(run) + " · " + folder.filename().string(), body);
}

}  // namespace cupel::pipeline

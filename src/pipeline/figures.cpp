#include "pipeline/figures.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>
#include <vector>

#include "base/text.h"
#include "pipeline/html.h"

namespace cupel::pipeline {
namespace {

constexpr std::size_t kTextColumns = 60;

bool holds_objects(const json::Value& value) {
  return value.is_array() && !value.as_array("").empty() && value.as_array("")[0].is_object();
}

std::string value_text(const std::string& name, const json::Value& value) {
  if (value.is_null()) return "none";
  if (value.is_bool()) return value.as_bool("") ? "yes" : "no";
  if (value.is_string() && value.as_string("").empty()) return "none";
  if (value.is_string()) return clip(value.as_string(""), kTextColumns);
  if (value.is_number() && name.ends_with("_bytes")) return bytes_text(value.as_double(""));
  if (value.is_number() && name == "seconds") return seconds_text(value.as_double(""));
  if (value.is_number()) return html::number(value.as_double(""));
  if (holds_objects(value)) return std::to_string(value.as_array("").size()) + " rows";
  std::string out;
  for (const json::Value& item : value.as_array("")) {
    out += (out.empty() ? "" : ", ") + value_text(name, item);
  }
  return out.empty() ? "none" : clip(out, 2 * kTextColumns);
}

using FigureLine = std::pair<std::string, std::string>;

void collect(const std::string& prefix, const json::Value& report, std::vector<FigureLine>& lines) {
  for (const auto& [key, value] : report.as_object("report")) {
    if (value.is_object()) {
      collect(prefix + key + ".", value, lines);
    } else if (!value.is_null()) {
      lines.emplace_back(prefix + key, value_text(key, value));
    }
  }
}

}  // namespace

std::string bytes_text(double bytes) {
  if (std::abs(bytes) < 1024) return fmt::format("{:.0f} B", bytes);
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    bytes /= 1024;
    if (std::abs(bytes) < 1024) return fmt::format("{:.1f} {}", bytes, unit);
  }
  return fmt::format("{:.1f} TiB", bytes / 1024);
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "unknown";
  if (seconds < 0.9995) return fmt::format("{:.3g} ms", seconds * 1e3);
  if (seconds < 59.95) return fmt::format("{:.1f} s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}m {:02}s", whole / 60, whole % 60);
  return fmt::format("{}h {:02}m", whole / 3600, whole / 60 % 60);
}

std::string figures_text(const json::Value& report) {
  std::vector<FigureLine> lines;
  collect("", report, lines);
  std::size_t width = 0;
  for (const FigureLine& line : lines) width = std::max(width, line.first.size());
  std::string out;
  for (const auto& [name, text] : lines) out += fmt::format("  {:<{}}  {}\n", name, width, text);
  return out;
}

}  // namespace cupel::pipeline

#include "pipeline/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "pipeline/style.h"

namespace cupel::pipeline::html {
namespace {

constexpr std::size_t kMaxRows = 200;
constexpr const char* kNothing = "–";

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '&':
      out += "&amp;";
      return;
    case '<':
      out += "&lt;";
      return;
    case '>':
      out += "&gt;";
      return;
    case '"':
      out += "&quot;";
      return;
    case '\'':
      out += "&#39;";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if ((byte < 0x20 && c != '\n' && c != '\t' && c != '\r') || byte == 0x7f) {
    out += kReplacementUtf8;
  } else {
    out += c;
  }
}

/// "1234567" → "1,234,567"; what follows the integer part stays.
std::string with_commas(std::string text) {
  const std::size_t first = text.starts_with('-') ? 1 : 0;
  std::size_t end = text.find_first_not_of("0123456789", first);
  if (end == std::string::npos) end = text.size();
  for (std::size_t at = end; at > first + 3;) text.insert(at -= 3, ",");
  return text;
}

bool is_scalar(const json::Value& value) { return !value.is_array() && !value.is_object(); }

std::string scalar(const json::Value& value) {
  if (value.is_null()) return kNothing;
  if (value.is_bool()) return value.as_bool("") ? "yes" : "no";
  if (value.is_number()) return number(value.as_double(""));
  return escape(value.as_string(""));
}

/// A list of objects whose members are all scalars: its columns, or nothing.
std::vector<std::string> columns_of(const json::Array& rows) {
  std::vector<std::string> columns;
  for (const json::Value& row : rows) {
    if (!row.is_object()) return {};
    for (const auto& [key, cell] : row.as_object("")) {
      if (!is_scalar(cell)) return {};
      if (std::find(columns.begin(), columns.end(), key) == columns.end()) columns.push_back(key);
    }
  }
  return columns;
}

std::string left_out(std::size_t count) {
  return count > kMaxRows
             ? element("p", "note", fmt::format("{} more are left out here", count - kMaxRows))
             : "";
}

std::string list(const json::Array& items) {
  if (items.empty()) return kNothing;
  if (items.size() <= 16 && std::all_of(items.begin(), items.end(), is_scalar)) {
    std::string line;
    for (const json::Value& item : items) line += (line.empty() ? "" : ", ") + scalar(item);
    return line;
  }
  const std::size_t shown = std::min(items.size(), kMaxRows);
  std::vector<std::vector<std::string>> rows;
  const std::vector<std::string> columns = columns_of(items);
  for (std::size_t i = 0; i < shown; ++i) {
    if (columns.empty()) {
      rows.push_back({std::to_string(i), value(items[i])});
      continue;
    }
    std::vector<std::string>& row = rows.emplace_back();
    for (const std::string& column : columns) {
      const json::Value* cell = items[i].find(column);
      row.push_back(cell == nullptr ? kNothing : scalar(*cell));
    }
  }
  std::vector<std::string> headers;
  for (const std::string& column : columns) headers.push_back(escape(column));
  return table(headers, rows) + left_out(items.size());
}

std::string object(const json::Object& members) {
  if (members.empty()) return kNothing;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, member] : members) {
    if (rows.size() == kMaxRows) break;
    rows.push_back({escape(key), value(member)});
  }
  return table({}, rows) + left_out(members.size());
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t good = valid_utf8_prefix(text);
    for (const char c : text.substr(0, good)) append_escaped(out, c);
    text.remove_prefix(good);
    if (text.empty()) break;
    out += kReplacementUtf8;
    text.remove_prefix(1);
  }
  return out;
}

std::string number(double value) {
  if (!std::isfinite(value)) return kNothing;
  const double size = std::abs(value);
  if (value == std::round(value) && size < 1e15) return with_commas(fmt::format("{:.0f}", value));
  if (size >= 1e15 || size < 1e-4) return fmt::format("{:.3g}", value);
  if (size >= 1000) return with_commas(fmt::format("{:.0f}", value));
  return fmt::format("{:.4g}", value);
}

std::string short_number(double value) {
  if (!std::isfinite(value)) return kNothing;
  if (value == 0) return "0";
  constexpr std::array<std::pair<double, const char*>, 4> kUnits{
      {{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}}};
  const double size = std::abs(value);
  for (const auto& [unit, letter] : kUnits) {
    if (size >= unit && size < 1e15) return fmt::format("{:.3g}{}", value / unit, letter);
  }
  if (size >= 1e-3 && size < 1e3) return fmt::format("{:.3g}", value);
  std::string text = fmt::format("{:.2e}", value);  // 2.00e-05 → 2e-5
  const std::size_t e = text.find('e');
  std::string digits = text.substr(0, e), exponent = text.substr(e + 2);
  while (digits.ends_with('0')) digits.pop_back();
  if (digits.ends_with('.')) digits.pop_back();
  exponent.erase(0, std::min(exponent.find_first_not_of('0'), exponent.size() - 1));
  return digits + "e" + (text[e + 1] == '-' ? "-" : "") + exponent;
}

std::string byte_size(double bytes) {
  if (!std::isfinite(bytes)) return kNothing;
  constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  if (unit == 0 || std::abs(bytes) >= 100) return fmt::format("{:.0f} {}", bytes, kUnits[unit]);
  return fmt::format("{:.3g} {}", bytes, kUnits[unit]);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds)) return kNothing;
  if (seconds < 10) return fmt::format("{:.2g} s", seconds);
  const double whole = std::round(seconds);
  if (whole < 120) return fmt::format("{:.0f} s", whole);
  const auto minutes = static_cast<int64_t>(whole / 60);
  if (minutes < 120) return fmt::format("{} min {:.0f} s", minutes, std::fmod(whole, 60));
  return fmt::format("{} h {} min", minutes / 60, minutes % 60);
}

std::string element(std::string_view name, std::string_view classes, std::string_view inner) {
  if (classes.empty()) return fmt::format("<{0}>{1}</{0}>\n", name, inner);
  return fmt::format("<{0} class=\"{1}\">{2}</{0}>\n", name, classes, inner);
}

std::string collapsible(std::string_view summary, std::string_view inner) {
  return fmt::format("<details><summary>{}</summary>\n{}</details>\n", summary, inner);
}

std::string tiles(const std::vector<Tile>& tiles) {
  std::string inner;
  for (const Tile& tile : tiles) {
    inner += element("div", "tile",
                     element("dt", "", escape(tile.label)) + element("dd", "", escape(tile.value)) +
                         (tile.note.empty() ? "" : element("dd", "note", escape(tile.note))));
  }
  return element("dl", "tiles", inner);
}

std::string table(const std::vector<std::string>& headers,
                  const std::vector<std::vector<std::string>>& rows,
                  const std::vector<std::size_t>& numeric) {
  const auto cells = [&](const char* name, const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool right = std::find(numeric.begin(), numeric.end(), i) != numeric.end();
      line += fmt::format("<{0}{1}>{2}</{0}>", name, right ? " class=\"num\"" : "", row[i]);
    }
    return "<tr>" + line + "</tr>\n";
  };
  std::string inner;
  if (!headers.empty()) inner = element("thead", "", cells("th", headers));
  std::string body;
  for (const auto& row : rows) body += cells("td", row);
  return element("div", "scroll", element("table", "", inner + element("tbody", "", body)));
}

std::string value(const json::Value& value) {
  if (value.is_array()) return list(value.as_array(""));
  if (value.is_object()) return object(value.as_object(""));
  return scalar(value);
}

std::string page(std::string_view title, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n"
      "</html>\n",
      escape(title), kStyleSheet, body);
}

}  // namespace cupel::pipeline::html

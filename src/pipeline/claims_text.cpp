#include <fmt/format.h>

#include <algorithm>

#include "pipeline/claims.h"
#include "pipeline/html.h"

namespace cupel::pipeline::claims {
namespace {

std::string number_text(const std::optional<double>& value) {
  return value ? html::number(*value) : "–";
}

std::string interval_text(const Row& row) {
  if (!row.interval) return "–";
  return fmt::format("[{}, {}]", html::number((*row.interval)[0]),
                     html::number((*row.interval)[1]));
}

std::string verdict(const Row& row) {
  if (!row.pass) return row.reason.empty() ? "–" : row.reason;
  return *row.pass ? "met" : "MISSED";
}

/// A cell of a Markdown table holds no bar and no line end.
std::string cell(std::string text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& text : cells) out += " " + cell(text) + " |";
  return out + "\n";
}

}  // namespace

std::string Report::text() const {
  std::size_t width = 6;
  for (const Row& row : claims) width = std::max(width, row.id.size() + 1 + row.metric.size());
  std::string out = fmt::format("{:<{}}  {:>10}  {:<22} {:>10}  {:<10} {}\n", "claim", width,
                                "value", "95 % interval", "worst seed", "bar", form + " form");
  for (const Row& row : claims) {
    out += fmt::format("{:<{}}  {:>10}  {:<22} {:>10}  {:<10} {}\n", row.id + " " + row.metric,
                       width, number_text(row.value), interval_text(row), number_text(row.worst),
                       row.bar, verdict(row));
  }
  return out;
}

std::string to_markdown(const Report& report, const std::vector<Claim>& claims) {
  std::string out =
      "# The headline figures\n\nWritten by `cupel claims --write-docs`; the bars and random seeds "
      "stand in `bench/claims/`, the protocols in `src/pipeline/claims/`. Values are means over "
      "random seeds, intervals 95 %.\n\n";
  out += fmt::format("Form: {}.", report.form);
  if (!report.claims.empty()) out += " Machine: " + cell(report.claims[0].machine) + ".";
  out += "\n\n";
  out += markdown_row({"claim", "metric", "value", "interval", "bar", "baseline", "verdict"});
  out += "|---|---|---|---|---|---|---|\n";
  for (const Row& row : report.claims) {
    out += markdown_row({row.id, row.metric, number_text(row.value), interval_text(row), row.bar,
                         number_text(row.baseline), verdict(row)});
  }
  for (const Claim& claim : claims) {
    out += "\n## " + claim.id + "\n\n" + claim.statement + ".\n";
    if (!claim.notes.empty()) out += "\n" + claim.notes + "\n";
    std::string seeds;
    for (const int64_t seed : claim.seeds)
      seeds += (seeds.empty() ? "" : ", ") + std::to_string(seed);
    out += fmt::format("\nProtocol: `src/pipeline/claims/{}.cpp`. Random seeds: {}.\n",
                       claim.protocol, seeds);
  }
  return out;
}

}  // namespace cupel::pipeline::claims

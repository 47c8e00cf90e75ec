#include <fmt/format.h>

#include <cmath>

#include "base/text.h"
#include "pipeline/chart.h"
#include "pipeline/html.h"
#include "pipeline/report_html.h"

namespace cupel::pipeline {
namespace {

using html::element;
using html::escape;

std::string percent(double part, double whole) {
  return whole > 0 ? fmt::format("{:.2f} %", 100 * part / whole) : "–";
}

double count_of(const json::Value& report, std::string_view map, const std::string& key) {
  const json::Value* counts = report.find(map);
  if (counts == nullptr || !counts->is_object()) return 0;
  const json::Value* count = counts->find(key);
  return count != nullptr && count->is_number() ? count->as_double(key) : 0;
}

/// What is left after each stage.
std::string funnel(const json::Value& report) {
  const double input = number_at(report, "input");
  double left = input;
  chart::BarChart bars{.title = "Rows left", .note = "after each stage"};
  const auto add = [&](const std::string& label, double dropped) {
    left -= dropped;
    const std::string share = percent(left, input);
    const std::string lost = dropped > 0 ? "  −" + html::number(dropped) : "";
    bars.bars.push_back(
        {.label = label, .value = left, .text = html::number(left) + "  " + share + lost});
  };
  add("input", 0);
  add("read", number_at(report, "rejected"));
  const json::Value* stages = report.find("stages");
  if (stages != nullptr && stages->is_array()) {
    for (const json::Value& stage : stages->as_array("stages")) {
      if (stage.is_string())
        add(stage.as_string("stages"), count_of(report, "dropped", stage.as_string("stages")));
    }
  }
  return chart::bar_chart(bars);
}

/// A table of the report's counts by rule, or nothing where it has none.
std::string rules(const json::Value& report, std::string_view map, std::string_view title) {
  const json::Value* counts = report.find(map);
  if (counts == nullptr || !counts->is_object() || counts->as_object("").empty()) return {};
  const double input = number_at(report, "input");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [rule, count] : counts->as_object(map)) {
    const double value = count.is_number() ? count.as_double(rule) : NAN;
    rows.push_back({element("code", "", escape(rule)), html::number(value), percent(value, input)});
  }
  return element("h3", "", title) +
         html::table({"stage and rule", "rows", "of the input"}, rows, {1, 2});
}

/// How well the topic tells the two sets apart, and what it took for granted of the input.
std::string topic(const json::Value& report) {
  const json::Value* topic = report.find("topic");
  if (topic == nullptr || !topic->is_object()) return {};
  const auto share = [&](const char* key) { return percent(number_at(*topic, key), 1); };
  const bool is_given = text_at(*topic, "balance_from") == "settings";
  const std::vector<html::Tile> tiles{
      {"rows that belong", share("balance"),
       is_given ? "as the settings say" : "as estimated from the scores of all rows"},
      {"area under the curve", html::number(number_at(*topic, "auc")),
       "chance that a document of the reference scores above one of the background"},
      {"calibration error", html::number(number_at(*topic, "calibration_error")),
       "mean distance between probability and truth"},
      {"reference lost", share("reference_lost"),
       "at or below a fit of " + html::number(number_at(*topic, "fit")) + ", held out"},
      {"background kept", share("background_kept"), "above it, held out"}};
  const std::string warning = text_at(*topic, "warning");
  return element("h3", "", "Topic") + html::tiles(tiles) +
         (warning.empty()
              ? ""
              : element("p", "", element("strong", "", "Note: ") + escape(warning) + "."));
}

/// Rows by the highest cosine of each, where the report has them.
std::string cosines(const json::Value& semantic, bool is_reference) {
  const json::Value* bins = semantic.find("cosines");
  if (bins == nullptr || !bins->is_array()) return {};
  chart::Histogram histogram{
      .title = "Rows by highest cosine",
      .note = is_reference ? "with a document of the reference" : "with an earlier row that stays",
      .x_label = "cosine",
      .names = {"stay", "go"},
      .threshold = number_at(semantic, "similarity")};
  for (const json::Value& bin : bins->as_array("cosines"))
    histogram.bins.push_back({number_at(bin, "from"),
                              number_at(bin, "to"),
                              {number_at(bin, "kept"), number_at(bin, "dropped")}});
  return chart::histogram(histogram);
}

/// What the comparison of sentence vectors found.
std::string meaning(const json::Value& report) {
  const json::Value* semantic = report.find("semantic");
  if (semantic == nullptr || !semantic->is_object()) return {};
  const bool is_reference = text_at(*semantic, "mode") == "reference";
  const double references = number_at(*semantic, "references");
  const double rows = number_at(*semantic, "vectors") - references;
  const double dropped = count_of(report, "dropped", "semantic");
  const double pairs = number_at(*semantic, "pairs");
  const std::vector<html::Tile> tiles{
      {"encoder", text_at(*semantic, "encoder")},
      {"rows compared", html::number(rows),
       references > 0 ? "with " + html::number(references) +
                            (is_reference ? " documents of the reference" : " of earlier corpora")
                      : ""},
      {"dropped", html::number(dropped), percent(dropped, rows) + " of these"},
      {"threshold", html::number(number_at(*semantic, "similarity")),
       is_reference ? "a row stays whose highest cosine reaches it"
                    : "a row goes whose cosine with an earlier one reaches it"},
      {"pairs multiplied", percent(number_at(*semantic, "pairs_compared"), pairs),
       "of " + html::number(pairs) + "; a bound ruled out the others"},
      {"texts a second", html::number(std::round(number_at(*semantic, "sentences_per_second"))),
       "encoded"}};
  const std::string chart = cosines(*semantic, is_reference);
  return element("h3", "", "By meaning") + html::tiles(tiles) +
         (chart.empty() ? "" : element("div", "charts", chart));
}

std::string score(const json::Value& report) {
  const json::Value* score = report.find("score");
  if (score == nullptr || !score->is_object()) return {};
  std::vector<html::Tile> tiles;
  for (const char* figure : {"invalid_before", "residual", "valid_lost"})
    tiles.push_back({figure, html::number(number_at(*score, figure))});
  std::string out = element("h3", "", "Against the truth") + html::tiles(tiles);
  const json::Value* recall = score->find("recall");
  if (recall == nullptr || !recall->is_object()) return out;
  chart::BarChart bars{.title = "Found", .note = "share of the invalid rows of each kind"};
  for (const auto& [kind, share] : recall->as_object("recall")) {
    if (share.is_number())
      bars.bars.push_back({.label = kind, .value = share.as_double(kind), .color = 2});
  }
  return out + element("div", "charts", chart::bar_chart(bars));
}

std::string sample_row(const json::Value& sample) {
  const std::string head = escape(text_at(sample, "id")) + ": " +
                           html::number(number_at(sample, "value")) + ", threshold " +
                           html::number(number_at(sample, "threshold"));
  const std::string kept_id = text_at(sample, "kept_id");
  std::vector<std::vector<std::string>> cells{{escape(text_at(sample, "text"))}};
  std::vector<std::string> names{"dropped: " + head};
  if (!kept_id.empty()) {
    names.push_back("stays: " + escape(kept_id));
    cells[0].push_back(escape(text_at(sample, "kept_text")));
  }
  if (const std::string evaluation = text_at(sample, "evaluation"); !evaluation.empty()) {
    names.push_back("holds: " + escape(evaluation));
    cells[0].push_back(escape(text_at(sample, "match")));
  }
  return html::table(names, cells);
}

/// A block a rule, with the texts of a pair side by side.
std::string samples(const json::Value& report) {
  const json::Value* list = report.find("samples");
  if (list == nullptr || !list->is_array()) return {};
  std::string out, rule, block;
  const auto close = [&] {
    if (!block.empty())
      out += html::collapsible("Dropped by " + element("code", "", escape(rule)), block);
    block.clear();
  };
  for (const json::Value& sample : list->as_array("samples")) {
    const std::string name = text_at(sample, "stage") + "." + text_at(sample, "rule");
    if (name != rule) close();
    rule = name;
    block += sample_row(sample);
  }
  close();
  return out.empty() ? "" : element("h3", "", "What was dropped") + out;
}

}  // namespace

std::string curate_section(const json::Value& report) {
  if (!report.is_object()) return html::value(report);
  const std::vector<html::Tile> tiles{
      {"input", html::number(number_at(report, "input"))},
      {"kept", html::number(number_at(report, "kept"))},
      {"kept share", percent(number_at(report, "kept"), number_at(report, "input"))},
      {"rejected", html::number(number_at(report, "rejected")), "could not be read"},
      {"documents a second", html::number(std::round(number_at(report, "documents_per_second")))},
      {"passes", html::number(number_at(report, "passes")), "over the input"}};
  return html::tiles(tiles) + element("div", "charts", funnel(report)) + score(report) +
         rules(report, "dropped_by_rule", "Rules") +
         rules(report, "edited_by_rule", "Texts that were changed") + topic(report) +
         meaning(report) + samples(report);
}

}  // namespace cupel::pipeline

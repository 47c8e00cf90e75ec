#include <cmath>
#include <map>

#include "pipeline/html.h"
#include "pipeline/report_html.h"

namespace cupel::pipeline {
namespace {

using html::element;
using html::escape;

constexpr std::size_t kMostInATable = 20;  // classes whose confusion is shown as a whole
constexpr std::size_t kMostMistakes = 30;

std::string count(double rows) { return rows > 0 ? html::number(rows) : ""; }

/// A row a class expected, a column a class answered.
std::string confusion_table(const json::Value& task) {
  std::map<std::pair<std::string, std::string>, double> cells;
  std::vector<std::string> labels, headers{"expected \\ answered"};
  for (const json::Value& row : list_at(task, "classes")) {
    labels.push_back(text_at(row, "label"));
    headers.push_back(escape(labels.back()));
    cells[{labels.back(), labels.back()}] = number_at(row, "right");
  }
  for (const json::Value& row : list_at(task, "mistakes"))
    cells[{text_at(row, "expected"), text_at(row, "answered")}] = number_at(row, "rows");
  std::vector<std::vector<std::string>> rows;
  std::vector<std::size_t> numeric;
  for (const std::string& expected : labels) {
    rows.push_back({escape(expected)});
    for (const std::string& answered : labels) {
      const std::string cell = count(cells[{expected, answered}]);
      rows.back().push_back(expected == answered ? element("b", "", cell) : cell);
    }
    numeric.push_back(rows.size());
  }
  return html::table(headers, rows, numeric);
}

std::string mistakes_table(const json::Value& task) {
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& row : list_at(task, "mistakes")) {
    if (rows.size() == kMostMistakes) break;
    rows.push_back({escape(text_at(row, "expected")), escape(text_at(row, "answered")),
                    html::number(number_at(row, "rows"))});
  }
  return html::table({"expected", "answered", "rows"}, rows, {2});
}

}  // namespace

std::string classes_section(const std::string& name, const json::Value& task) {
  const json::Array& classes = list_at(task, "classes");
  if (classes.empty()) return "";
  std::vector<std::vector<std::string>> rows;
  for (const json::Value& row : classes) {
    rows.push_back({escape(text_at(row, "label"))});
    for (const char* key : {"expected", "answered", "right", "precision", "recall", "f1"})
      rows.back().push_back(html::number(number_at(row, key)));
  }
  const std::string whole =
      html::table({"class", "expected", "answered", "right", "precision", "recall", "F1"}, rows,
                  {1, 2, 3, 4, 5, 6});
  const std::string confused =
      classes.size() <= kMostInATable ? confusion_table(task) : mistakes_table(task);
  return element("h3", "", escape(name)) + html::collapsible("classes", whole) +
         html::collapsible("what was taken for what", confused);
}

}  // namespace cupel::pipeline

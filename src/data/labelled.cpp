#include "data/labelled.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace cupel {
namespace {

std::optional<int64_t> whole_number(const std::string& text) {
  int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (error != std::errc() || end != last) return std::nullopt;
  return value;
}

std::optional<std::string> label_of(const json::Value& value) {
  if (value.is_int()) return std::to_string(value.as_int("label"));
  if (!value.is_string() || value.as_string("label").empty()) return std::nullopt;
  return value.as_string("label");
}

}  // namespace

std::vector<LabelledText> read_labelled(const std::filesystem::path& path,
                                        const LabelledOptions& options,
                                        std::vector<Reject>* rejects) {
  std::vector<LabelledText> rows;
  const auto take = [&](json::Value&& row, int64_t line) -> std::optional<RowProblem> {
    if (options.poll) options.poll();
    const json::Value* text = row.find(options.text_field);
    const json::Value* given = row.find(options.label_field);
    if (text == nullptr || !text->is_string())
      return RowProblem{"missing_field",
                        "field \"" + options.text_field + "\": missing or no text"};
    const std::optional<std::string> label = given != nullptr ? label_of(*given) : std::nullopt;
    if (!label)
      return RowProblem{"missing_field",
                        "field \"" + options.label_field + "\": missing, empty or no label"};
    rows.push_back({text->as_string(options.text_field), *label, line});
    return std::nullopt;
  };
  for_each_row(path, options.read, take, rejects);
  return rows;
}

std::vector<std::string> sorted_labels(std::vector<std::string> labels) {
  std::ranges::sort(labels);
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
  const auto is_number = [](const std::string& label) { return whole_number(label).has_value(); };
  if (std::ranges::all_of(labels, is_number))
    std::ranges::stable_sort(labels, {}, [](const std::string& l) { return *whole_number(l); });
  return labels;
}

}  // namespace cupel

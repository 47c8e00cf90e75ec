#include "curate/stages.h"

#include <algorithm>
#include <map>

#include "curate/curate.h"
#include "curate/language.h"
#include "curate/pii.h"
#include "curate/rules.h"

namespace cupel::curate {
namespace {

std::vector<Failure> broken_rules(const RowFields& row, const std::optional<FormatConfig>& config) {
  std::vector<Failure> failed;
  if (!row.missing.empty()) failed.push_back({"missing_" + std::string(row.missing), 0, 1});
  if (!config) return failed;
  for (const RuleFailure& failure : check_format(row.text, *config))
    failed.push_back({std::string(failure.rule), failure.value, failure.threshold});
  return failed;
}

std::vector<Failure> other_language(const RowFields& row, const std::vector<std::string>& wanted) {
  const Language language = identify_language(row.text);
  if (std::find(wanted.begin(), wanted.end(), language.code) != wanted.end()) return {};
  return {{std::string(language.code), language.share, 0}};
}

std::vector<Failure> personal_data(const RowFields& row, const std::vector<std::string>& kinds) {
  std::map<std::string_view, int64_t> counts;
  for (const PiiMatch& match : find_pii(row.text)) ++counts[match.kind];
  std::vector<Failure> failed;
  for (const std::string& kind : kinds) {
    const auto found = counts.find(kind);
    if (found != counts.end()) failed.push_back({kind, static_cast<double>(found->second), 0});
  }
  return failed;
}

}  // namespace

std::vector<RowStage> row_stages(const Config& config) {
  std::vector<RowStage> stages;
  if (config.format || !config.required_fields.empty()) {
    stages.push_back({"format", [format = config.format](const RowFields& row) {
                        return broken_rules(row, format);
                      }});
  }
  if (!config.language.empty()) {
    stages.push_back({"language", [wanted = config.language](const RowFields& row) {
                        return other_language(row, wanted);
                      }});
  }
  if (!config.pii.empty()) {
    stages.push_back(
        {"pii", [kinds = config.pii](const RowFields& row) { return personal_data(row, kinds); }});
  }
  return stages;
}

}  // namespace cupel::curate

#include "curate/stages.h"

#include <algorithm>

#include "base/text.h"
#include "curate/curate.h"
#include "curate/decontaminate.h"
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

/// Those of the kinds that are named.
std::vector<PiiMatch> find_kinds(std::string_view text, const std::vector<std::string>& kinds) {
  std::vector<PiiMatch> matches = find_pii(text);
  std::erase_if(matches, [&](const PiiMatch& match) {
    return std::find(kinds.begin(), kinds.end(), match.kind) == kinds.end();
  });
  return matches;
}

/// How often each kind was found, in the order of `kinds`.
std::vector<Edit> count_kinds(const std::vector<PiiMatch>& matches,
                              const std::vector<std::string>& kinds) {
  std::vector<Edit> counts;
  for (const std::string& kind : kinds) {
    const auto count = std::count_if(matches.begin(), matches.end(),
                                     [&](const PiiMatch& match) { return match.kind == kind; });
    if (count > 0) counts.push_back({"pii", kind, count});
  }
  return counts;
}

RowStage pii_stage(const PiiConfig& config) {
  RowStage stage{"pii", {}};
  if (config.action == PiiAction::mask) {
    stage.edit = [kinds = config.kinds](std::string_view text) -> std::optional<EditedText> {
      const std::vector<PiiMatch> matches = find_kinds(text, kinds);
      if (matches.empty()) return std::nullopt;
      return EditedText{mask_pii(text, matches), count_kinds(matches, kinds)};
    };
  } else {
    stage.check = [kinds = config.kinds](const RowFields& row) {
      std::vector<Failure> failed;
      for (const Edit& found : count_kinds(find_kinds(row.text, kinds), kinds))
        failed.push_back({found.rule, static_cast<double>(found.count), 0});
      return failed;
    };
  }
  return stage;
}

RowStage decontaminate_stage(const DecontaminateConfig& config,
                             const Decontaminator& decontaminator) {
  constexpr std::size_t kMatchCharacters = 400;
  return {"decontaminate",
          [&decontaminator, files = config.files,
           least = config.overlap](const RowFields& row) -> std::vector<Failure> {
            const auto found = decontaminator.find(row.text);
            if (!found) return {};
            return {{"overlap", found->overlap, least,
                     Witness{files[found->file].text, found->line,
                             clip(found->match, kMatchCharacters)}}};
          }};
}

}  // namespace

std::vector<RowStage> row_stages(const Config& config, const Decontaminator* decontaminator) {
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
  if (!config.pii.kinds.empty()) stages.push_back(pii_stage(config.pii));
  if (decontaminator != nullptr)
    stages.push_back(decontaminate_stage(*config.decontaminate, *decontaminator));
  return stages;
}

}  // namespace cupel::curate

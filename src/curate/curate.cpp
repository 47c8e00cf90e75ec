#include "curate/curate.h"

#include <algorithm>
#include <filesystem>
#include <numeric>

#include "base/error.h"
#include "curate/duplicates.h"
#include "curate/language.h"
#include "curate/pii.h"
#include "curate/row_store.h"
#include "curate/scan.h"
#include "curate/texts.h"
#include "curate/topic_stage.h"
#include "curate/write.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

/// A few batches are in memory at a time, each with its rows parsed.
std::size_t batch_bytes(const Config& config, const Run& run) {
  constexpr int64_t kLeast = int64_t{1} << 20, kAThread = int64_t{2} << 20;
  const int64_t most = std::max(kLeast, config.memory_limit.bytes / 16);
  return static_cast<std::size_t>(std::clamp(kAThread * run.threads(), kLeast, most));
}

void record_inputs(const Config& config, Run& run) {
  const auto section = run.section("hash");
  json::Array inputs;
  for (const auto* files : {&config.input, &config.against}) {
    for (const Path& path : *files)
      inputs.push_back(std::filesystem::absolute(path.text).lexically_normal().string());
  }
  run.set_manifest("curate",
                   json::Object{{"inputs", std::move(inputs)},  // as decisions.jsonl counts
                                {"text_field", config.text_field},
                                {"id_field", config.id_field}});
  for (const auto* files : {&config.input, &config.against}) {
    for (const Path& path : *files) run.record_input(path.text);
  }
  if (!config.truth.empty()) run.record_input(config.truth.text);
}

/// Among the rows that are kept so far, so that the row named as kept is one.
void drop_duplicates(const Config& config, int64_t earlier_rows, ParserPool& parsers,
                     RowStore& rows, Run& run) {
  const auto section = run.section("duplicates");
  DuplicateFinder finder(config.dedup, config.memory_limit.bytes / 2, run.folder(), run.pool());
  std::vector<Fingerprint> fingerprints(kPassRows);
  std::vector<int64_t> row_of;  // by document
  for_each_kept_text(
      rows, parsers, run, "fingerprints",
      [&](int64_t, std::size_t slot, std::string_view text) {
        fingerprints[slot] = finder.fingerprint(normal_form(text));
      },
      [&](int64_t row, std::size_t slot) {
        if (row < earlier_rows) {
          finder.add_reference(fingerprints[slot]);
        } else {
          finder.add(fingerprints[slot]);
        }
        row_of.push_back(row);
      });
  const auto row = [&](int64_t document) { return row_of[static_cast<std::size_t>(document)]; };
  const auto text = [&](int64_t document) {
    std::string form;
    parsers.with([&](RowFieldParser& parser) {
      std::string json;
      RowFields fields;
      read_fields(rows, rows.record(row(document)), parser, json, fields);
      form = normal_form(fields.text);
    });
    return form;
  };
  const auto drop = [&](const Duplicate& duplicate) {
    RowRecord record = rows.record(row(duplicate.document));
    record.rule = rows.rule_number(duplicate.exact ? "exact" : "near", "duplicate");
    record.kept = row(duplicate.kept);
    record.value = duplicate.similarity;
    record.threshold = duplicate.exact ? 1 : config.dedup.near->jaccard;
    rows.set_record(row(duplicate.document), record);
  };
  finder.find(text, drop, [&run] {
    if (run.stop_requested()) throw Interrupted();
  });
}

/// Every row has exactly one fate.
void require_sums(const Report& report, int64_t rows) {
  int64_t sum = report.kept + report.rejected;
  for (const auto& [stage, count] : report.dropped) sum += count;
  if (sum == report.input && report.input == rows) return;
  fail(ErrorKind::bug, "[curate]",
       "kept + rejected + dropped is " + std::to_string(sum) + ", and the input has " +
           std::to_string(rows) + " rows",
       "please report it");
}

/// A corpus of which nothing is left is most likely a setting gone wrong.
void require_rows(const Config& config, const Report& report, const FirstReject& reject) {
  const std::size_t more = config.input.size() - 1;
  const std::string name =
      config.input[0].text + (more > 0 ? " and " + std::to_string(more) + " more" : "");
  const std::string all = std::to_string(report.input);
  if (report.input == 0)
    fail(ErrorKind::data, name, "file has no rows", "give a file with at least one row");
  if (report.rejected == report.input) {
    fail(ErrorKind::data, reject.where,
         reject.text + " (none of the input's " + all + " rows can be read)",
         "correct the file, or name the right field");
  }
  if (report.kept > 0) return;
  const auto most =
      std::max_element(report.dropped_by_rule.begin(), report.dropped_by_rule.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  fail(ErrorKind::data, name,
       "nothing is kept: of " + all + " rows " + std::to_string(most->second) + " fall to " +
           most->first,
       "decisions.jsonl has every row with its rule");
}

}  // namespace

std::vector<std::string> Config::problems() const {
  std::vector<std::string> problems;
  if (input.empty()) problems.push_back("input: missing; name a file, or a list of files");
  for (const std::string& code : language) {
    if (!is_known_language(code))
      problems.push_back(
          "language: \"" + code +
          "\" is no language that is told apart; give ISO 639-1 codes, as in [en, zh]");
  }
  for (const std::string& kind : pii) {
    if (std::find(kPiiKinds.begin(), kPiiKinds.end(), kind) == kPiiKinds.end()) {
      std::string known;
      for (const std::string_view name : kPiiKinds)
        known += (known.empty() ? "" : ", ") + std::string(name);
      problems.push_back("pii: \"" + kind + "\" is no kind of personal data; there are " + known);
    }
  }
  if (topic && (topic->reference.empty() || topic->background.empty()))
    problems.push_back(
        "topic: name a file of the domain as reference, and one of anything else as background");
  return problems;
}

Report run(const Config& config, Run& run) {
  const double begin = run.seconds();
  record_inputs(config, run);
  std::optional<Truth> truth;
  if (!config.truth.empty()) truth.emplace(config.truth.text);

  const std::vector<RowStage> stages = row_stages(config);
  ParserPool parsers(config.text_field, config.id_field, config.required_fields);
  RowStore rows(run.folder());
  FirstReject reject;
  const Scan scan{stages, parsers, rows, reject, batch_bytes(config, run), run};
  for (const Path& path : config.against) scan_file(path.text, true, scan);
  const int64_t earlier = rows.size();
  {
    const auto section = run.section("check");
    for (const Path& path : config.input) scan_file(path.text, false, scan);
  }
  const bool looks_for_duplicates = config.dedup.exact || config.dedup.near;
  std::optional<TopicReport> topic;
  if (config.topic)
    topic = drop_off_topic(*config.topic, config.text_field, parsers, rows, earlier, run);
  if (looks_for_duplicates) drop_duplicates(config, earlier, parsers, rows, run);

  Report report = write_outputs({stages, parsers, rows, static_cast<int64_t>(config.against.size()),
                                 earlier, static_cast<int64_t>(config.input.size())},
                                truth ? &*truth : nullptr, run);
  require_sums(report, rows.size() - earlier);
  require_rows(config, report, reject);
  for (const RowStage& stage : stages) report.stages.push_back(stage.name);
  if (config.topic) report.stages.emplace_back("topic");
  if (config.dedup.exact) report.stages.emplace_back("exact");
  if (config.dedup.near) report.stages.emplace_back("near");
  for (const std::string& stage : report.stages) report.dropped.try_emplace(stage, 0);
  report.kept_share = static_cast<double>(report.kept) / static_cast<double>(report.input);
  report.passes = 3 + looks_for_duplicates + config.topic.has_value();
  report.topic = topic;
  report.documents_per_second =
      static_cast<double>(report.input) / std::max(run.seconds() - begin, 1e-9);
  if (truth) report.score = truth->score();
  return report;
}

}  // namespace cupel::curate

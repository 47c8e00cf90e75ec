#include "curate/curate.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <mutex>

#include "base/error.h"
#include "base/scratch_file.h"
#include "curate/checkpoint.h"
#include "curate/duplicates.h"
#include "curate/language.h"
#include "curate/row_store.h"
#include "curate/scan.h"
#include "curate/substring_stage.h"
#include "curate/texts.h"
#include "curate/topic_stage.h"
#include "curate/write.h"
#include "data/row_edit.h"
#include "data/unicode.h"

namespace cupel::curate {
namespace {

constexpr std::size_t kLongText = std::size_t{1} << 20;

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
  if (config.decontaminate)
    for (const Path& path : config.decontaminate->files) run.record_input(path.text);
  if (!config.truth.empty()) run.record_input(config.truth.text);
  if (config.semantic && !config.semantic->reference.empty())
    run.record_input(config.semantic->reference.text);
}

std::optional<Decontaminator> read_evaluations(const Config& config, Run& run) {
  if (!config.decontaminate) return std::nullopt;
  const auto section = run.section("evaluation sets");
  EvaluationTexts found = read_evaluation_texts(*config.decontaminate, config.text_field, run);
  return std::make_optional<Decontaminator>(*config.decontaminate, std::move(found));
}

/// Among the rows that are kept so far, so that the row named as kept is one.
void drop_duplicates(const Config& config, int64_t earlier_rows, ParserPool& parsers,
                     RowStore& rows, Run& run) {
  DuplicateFinder finder(config.dedup, config.memory_limit.bytes / 2, run.folder(), run.pool());
  std::vector<Fingerprint> fingerprints(kPassRows);
  ScratchFile row_of(run.folder());  // by document
  std::mutex one_long_text;          // so that the n-grams of one alone are in memory
  for_each_kept_text(
      rows, parsers, run, "fingerprints",
      [&](int64_t, std::size_t slot, std::string_view text) {
        std::unique_lock guard(one_long_text, std::defer_lock);
        if (text.size() > kLongText) guard.lock();
        fingerprints[slot] = finder.fingerprint(normal_form(text));
      },
      [&](int64_t row, std::size_t slot) {
        if (row < earlier_rows) {
          finder.add_reference(fingerprints[slot]);
        } else {
          finder.add(fingerprints[slot]);
        }
        row_of.append({reinterpret_cast<const char*>(&row), sizeof row});
      });
  const auto row = [&](int64_t document) {
    int64_t number = 0;
    row_of.read(document * static_cast<int64_t>(sizeof number), reinterpret_cast<char*>(&number),
                sizeof number);
    return number;
  };
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
    const int64_t dropped = row(duplicate.document);
    RowRecord record = rows.record(dropped);
    record.rule = rows.rule_number(duplicate.exact ? "exact" : "near", "duplicate");
    record.kept = row(duplicate.kept);
    record.value = duplicate.similarity;
    record.threshold = duplicate.exact ? 1 : config.dedup.near->jaccard;
    rows.set_record(dropped, record);
  };
  finder.find(text, drop, [&run] { run.stop_if_asked(); });
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

/// The corpus in work: its rows, what is decided on them, and how far that has come.
class Curation {
 public:
  Curation(const Config& config, const Embedder& embedder, Run& run)
      : config_(config),
        embedder_(embedder),
        run_(run),
        decontaminator_(read_evaluations(config, run)),
        stages_(row_stages(config, decontaminator_ ? &*decontaminator_ : nullptr)),
        parsers_(config.text_field, config.id_field, config.required_fields),
        rows_(run.folder()),
        checkpoint_(config.save_seconds, rows_, progress_, run) {}

  /// Every pass but the last one, or those that a checkpoint leaves to do.
  void decide() {
    const std::vector<Pass> all = passes();
    const auto count = static_cast<int64_t>(all.size());
    if (checkpoint_.load()) {
      for (int64_t i = 0; i < std::min(progress_.files, files()); ++i)
        rows_.begin_file(file(i).text);
      resumed_from_ = progress_.passes < count
                          ? all[static_cast<std::size_t>(progress_.passes)].name
                          : std::string("write");
      run_.log(LogLevel::info, "goes on with pass " + *resumed_from_);
    }
    while (progress_.passes < count) {
      const Pass& pass = all[static_cast<std::size_t>(progress_.passes)];
      const auto section = run_.section(pass.name);
      pass.work();
      ++progress_.passes;
      checkpoint_.save_pass();
    }
  }

  Report write(Truth* truth) {
    const auto earlier_files = static_cast<int64_t>(config_.against.size());
    Report report = write_outputs(
        {stages_, parsers_, rows_, earlier_files, progress_.earlier_rows, files() - earlier_files},
        truth, run_);
    checkpoint_.remove();
    require_sums(report, rows_.size() - progress_.earlier_rows);
    require_rows(config_, report, progress_.first_reject);
    for (const RowStage& stage : stages_) report.stages.push_back(stage.name);
    if (config_.topic) report.stages.emplace_back("topic");
    if (config_.dedup.exact) report.stages.emplace_back("exact");
    if (config_.dedup.near) report.stages.emplace_back("near");
    if (config_.dedup.substring) report.stages.emplace_back("substring");
    if (config_.semantic) report.stages.emplace_back("semantic");
    for (const std::string& stage : report.stages) report.dropped.try_emplace(stage, 0);
    report.kept_share = static_cast<double>(report.kept) / static_cast<double>(report.input);
    report.passes = static_cast<int64_t>(passes().size()) + 2;  // the hashes of inputs, this one
    if (decontaminator_) report.decontaminate = decontaminator_->report();
    report.topic = progress_.topic;
    report.semantic = progress_.semantic;
    report.resumed_from = resumed_from_;
    return report;
  }

 private:
  struct Pass {
    std::string name;
    std::function<void()> work;
  };

  /// In the order of their decisions; what they leave behind is in rows_ and progress_ alone.
  std::vector<Pass> passes() {
    std::vector<Pass> all{{"check", [this] { check(); }}};
    if (config_.topic) {
      all.push_back({"topic", [this] {
                       progress_.topic =
                           drop_off_topic(*config_.topic, config_.text_field, parsers_, rows_,
                                          progress_.earlier_rows, run_);
                     }});
    }
    if (config_.dedup.exact || config_.dedup.near) {
      all.push_back({"duplicates", [this] {
                       drop_duplicates(config_, progress_.earlier_rows, parsers_, rows_, run_);
                     }});
    }
    if (config_.dedup.substring) {
      all.push_back({"substring", [this] {
                       cut_repeats(*config_.dedup.substring,
                                   config_.format ? config_.format->min_chars : 0,
                                   progress_.earlier_rows, config_.memory_limit.bytes / 2, parsers_,
                                   rows_, run_);
                     }});
    }
    if (config_.semantic) {
      all.push_back({"semantic", [this] {
                       progress_.semantic = drop_by_meaning(
                           *config_.semantic, embedder_, config_.text_field, parsers_, rows_,
                           progress_.earlier_rows, config_.memory_limit.bytes / 2, run_);
                     }});
    }
    return all;
  }

  /// Earlier corpora come first.
  const Path& file(int64_t number) const {
    const auto at = static_cast<std::size_t>(number);
    const std::size_t earlier = config_.against.size();
    return at < earlier ? config_.against[at] : config_.input[at - earlier];
  }
  int64_t files() const {
    return static_cast<int64_t>(config_.against.size() + config_.input.size());
  }

  void check() {
    const auto earlier = static_cast<int64_t>(config_.against.size());
    const auto poll = [this](int64_t entered) {
      progress_.rows_of_file = entered;
      if (!run_.stop_requested()) return checkpoint_.save_if_due();
      checkpoint_.save();
      throw Interrupted();
    };
    const Scan scan{stages_, parsers_, rows_, progress_.first_reject, batch_bytes(config_, run_),
                    run_,    poll};
    while (progress_.files < files()) {
      scan_file(file(progress_.files).text, progress_.files < earlier, scan,
                progress_.rows_of_file);
      progress_.rows_of_file = 0;
      if (++progress_.files == earlier) progress_.earlier_rows = rows_.size();
    }
  }

  const Config& config_;
  const Embedder& embedder_;
  Run& run_;
  std::optional<Decontaminator> decontaminator_;
  std::vector<RowStage> stages_;
  ParserPool parsers_;
  RowStore rows_;
  Progress progress_;
  Checkpoint checkpoint_;
  std::optional<std::string> resumed_from_;
};

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
  const bool edits = pii.action == PiiAction::mask || dedup.substring;
  if (edits && (text_field == kEditedField || id_field == kEditedField))
    problems.push_back(
        "\"edited\" is the mark of a row whose text was changed; rename the field of the input");
  if (topic && (topic->reference.empty() || topic->background.empty()))
    problems.push_back(
        "topic: name a file of the domain as reference, and one of anything else as background");
  if (semantic && (semantic->mode == SemanticMode::reference) == semantic->reference.empty())
    problems.push_back(
        "semantic: a reference goes with mode: reference, which keeps what is close to it");
  return problems;
}

Report run(const Config& config, const Embedder& embedder, Run& run) {
  const double begin = run.seconds();
  record_inputs(config, run);
  std::optional<Truth> truth;
  if (!config.truth.empty()) truth.emplace(config.truth.text);
  Curation curation(config, embedder, run);
  curation.decide();
  Report report = curation.write(truth ? &*truth : nullptr);
  report.documents_per_second =
      static_cast<double>(report.input) / std::max(run.seconds() - begin, 1e-9);
  if (truth) report.score = truth->score();
  return report;
}

}  // namespace cupel::curate

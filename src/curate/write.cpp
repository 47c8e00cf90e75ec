#include "curate/write.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"
#include "curate/decisions.h"

namespace cupel::curate {
namespace {

constexpr int64_t kRecordsAThread = 16;
constexpr std::size_t kSamplesARule = 3, kSampleCharacters = 400;

/// A row's part of the outputs, made on any thread.
struct Written {
  std::string id, decision, kept;
  std::vector<Edit> edits;
};

/// An output of the run's folder, or nothing in a run without one.
class Output {
 public:
  Output(const Run& run, const char* name) {
    if (run.has_folder()) file_.emplace(run.folder() / name);
  }
  void append(std::string_view bytes) {
    if (file_) file_->append(bytes);
  }
  void commit() {
    if (file_) file_->commit();
  }

 private:
  std::optional<AtomicFile> file_;
};

/// Rows of each rule whose hashes are lowest: the same ones however the work is split.
class SampleChoice {
 public:
  void see(int64_t row, uint16_t rule) {
    if (rule >= chosen_.size()) chosen_.resize(rule + std::size_t{1});
    auto& rows = chosen_[rule];
    rows.emplace_back(hash64(std::to_string(row)), row);
    std::sort(rows.begin(), rows.end());
    if (rows.size() > kSamplesARule) rows.pop_back();
  }
  const std::vector<std::vector<std::pair<uint64_t, int64_t>>>& by_rule() const { return chosen_; }

 private:
  std::vector<std::vector<std::pair<uint64_t, int64_t>>> chosen_;
};

/// How many of the rows are taken at once: their bytes are in memory until they are written.
std::size_t rows_at_once(const std::vector<RowRecord>& records) {
  constexpr int64_t kBytes = int64_t{4} << 20;
  int64_t bytes = 0;
  std::size_t count = 0;
  do bytes += records[count++].size;
  while (count < records.size() && bytes + records[count].size <= kBytes);
  return count;
}

const RowStage* stage_named(const std::vector<RowStage>& stages, const std::string& name) {
  const auto found = std::find_if(stages.begin(), stages.end(),
                                  [&](const RowStage& stage) { return stage.name == name; });
  return found == stages.end() ? nullptr : &*found;
}

/// Files of the input are counted first, then those of earlier corpora.
int64_t input_number(const RowRecord& record, const Decided& decided) {
  const int64_t file = record.file;
  return file < decided.earlier_files ? decided.input_files + file : file - decided.earlier_files;
}

Written write_row(int64_t row, const RowRecord& record, const Decided& decided,
                  RowFieldParser& parser) {
  Written written;
  Decision decision;
  decision.row = row - decided.earlier_rows + 1;
  decision.input = input_number(record, decided);
  decision.line = record.line;
  decision.value = record.value;
  decision.threshold = record.threshold;
  decision.stage = decided.rows.rule(record.rule).stage;
  decision.rule = decided.rows.rule(record.rule).rule;
  if (decision.stage != kReadStage) {
    RowFields fields;
    read_fields(decided.rows, record, parser, written.kept, fields);
    written.id = decision.id = fields.id;
    written.edits = decision.edited = decided.rows.edits(record);
    if (const RowStage* stage = stage_named(decided.stages, decision.stage))
      decision.failed = stage->check(fields);
    if (!decision.failed.empty()) decision.evaluation = decision.failed.front().evaluation;
  }
  if (record.kept >= 0) {
    const RowRecord kept = decided.rows.record(record.kept);
    std::string json;
    RowFields fields;
    read_fields(decided.rows, kept, parser, json, fields);
    decision.kept_id = fields.id;
    decision.kept_line = kept.line;
    decision.kept_input = input_number(kept, decided);
  }
  written.decision = to_line(decision);
  if (!decision.kept()) written.kept.clear();
  if (decision.kept()) written.kept += '\n';
  return written;
}

void count_row(const Rule& rule, const std::vector<Edit>& edits, Report& report) {
  ++report.input;
  if (rule.stage.empty()) {
    ++report.kept;
    report.edited += !edits.empty();
    for (const Edit& edit : edits) ++report.edited_by_rule[edit.stage + "." + edit.rule];
    return;
  }
  ++report.dropped_by_rule[rule.stage + "." + rule.rule];
  ++(rule.stage == kReadStage ? report.rejected : report.dropped[rule.stage]);
}

std::vector<DropSample> samples(const SampleChoice& choice, const Decided& decided) {
  std::vector<DropSample> samples;
  decided.parsers.with([&](RowFieldParser& parser) {
    std::string json;
    RowFields fields;
    const auto show = [&](const RowRecord& record, DropSample& sample) {
      read_fields(decided.rows, record, parser, json, fields);
      sample.id = fields.id;
      sample.text = clip(fields.text, kSampleCharacters);
      const RowStage* stage = stage_named(decided.stages, sample.stage);
      const std::vector<Failure> failed =
          stage == nullptr ? std::vector<Failure>{} : stage->check(fields);
      if (failed.empty() || !failed.front().evaluation) return;
      const Witness& evaluation = *failed.front().evaluation;
      sample.evaluation = evaluation.file + ":" + std::to_string(evaluation.line);
      sample.match = evaluation.match;
    };
    for (const auto& rows : choice.by_rule()) {
      for (const auto& [hash, row] : rows) {
        const RowRecord record = decided.rows.record(row);
        const Rule& rule = decided.rows.rule(record.rule);
        DropSample sample;
        sample.stage = rule.stage;
        sample.rule = rule.rule;
        sample.value = record.value;
        sample.threshold = record.threshold;
        show(record, sample);
        if (record.kept >= 0) {
          read_fields(decided.rows, decided.rows.record(record.kept), parser, json, fields);
          sample.kept_id = fields.id;
          sample.kept_text = clip(fields.text, kSampleCharacters);
        }
        samples.push_back(std::move(sample));
      }
    }
  });
  return samples;
}

}  // namespace

Report write_outputs(const Decided& decided, Truth* truth, Run& run) {
  const auto section = run.section("write");
  Report report;
  report.against = decided.earlier_rows;
  Output kept(run, "kept.jsonl"), decisions(run, "decisions.jsonl");
  SampleChoice choice;
  const int64_t end = decided.rows.size();
  int64_t count = 0;
  for (int64_t first = decided.earlier_rows; first < end; first += count) {
    run.stop_if_asked();
    run.progress(first - decided.earlier_rows, end - decided.earlier_rows, "writing");
    std::vector<RowRecord> records = decided.rows.records(first, std::min(kPassRows, end - first));
    records.resize(rows_at_once(records));
    count = static_cast<int64_t>(records.size());
    std::vector<Written> written(records.size());
    run.pool().parallel_for(count, kRecordsAThread, [&](int64_t from, int64_t to) {
      decided.parsers.with([&](RowFieldParser& parser) {
        for (int64_t i = from; i < to; ++i) {
          const auto at = static_cast<std::size_t>(i);
          written[at] = write_row(first + i, records[at], decided, parser);
        }
      });
    });
    for (std::size_t i = 0; i < records.size(); ++i) {
      kept.append(written[i].kept);
      decisions.append(written[i].decision);
      const Rule& rule = decided.rows.rule(records[i].rule);
      if (truth != nullptr && rule.stage != kReadStage)
        truth->see(written[i].id, records[i].rule == 0);
      count_row(rule, written[i].edits, report);
      if (records[i].rule != 0 && rule.stage != kReadStage)
        choice.see(first + static_cast<int64_t>(i), records[i].rule);
    }
  }
  kept.commit();
  decisions.commit();
  report.samples = samples(choice, decided);
  return report;
}

}  // namespace cupel::curate

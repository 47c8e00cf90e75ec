#include "curate/scan.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "data/row_edit.h"
#include "data/utf8.h"

namespace cupel::curate {
namespace {

constexpr int64_t kRowsAtOnce = 16;  // a thread

/// What a row came to.
struct Checked {
  std::optional<RowProblem> problem = {};
  const RowStage* stage = nullptr;  // that drops it
  Failure failure = {};
  std::vector<Edit> edits = {};
  std::string json = {};  // the row after its edits
};

/// The stages that change the text or drop the row; the text that `fields` has afterwards lies in
/// `text` if it was changed.
void pass_stages(const std::vector<RowStage>& stages, RowFields& fields, std::string& text,
                 Checked& checked) {
  for (const RowStage& stage : stages) {
    if (stage.edit) {
      if (auto edited = stage.edit(fields.text)) {
        fields.text = text = std::move(edited->text);
        checked.edits.insert(checked.edits.end(), edited->edits.begin(), edited->edits.end());
      }
    }
    if (!stage.check) continue;
    std::vector<Failure> failed = stage.check(fields);
    if (failed.empty()) continue;
    checked.stage = &stage;
    checked.failure = std::move(failed.front());
    return;
  }
}

Checked check(const RawRow& row, const Scan& scan, bool passes_stages, RowFieldParser& parser) {
  Checked checked;
  if (row.problem != nullptr) {
    checked.problem = *row.problem;
    return checked;
  }
  RowFields fields;
  checked.problem = parser.parse(row.json, row.line, fields);
  if (checked.problem || !passes_stages) return checked;
  std::string text;
  pass_stages(scan.stages, fields, text, checked);
  if (!checked.edits.empty()) checked.json = with_text(row.json, scan.parsers.text_field(), text);
  return checked;
}

void enter(const std::string& name, const RawRow& row, const Checked& checked,
           bool is_earlier_corpus, const Scan& scan) {
  if (checked.problem) {
    const std::string where = name + ":" + std::to_string(row.line);
    if (is_earlier_corpus) {
      fail(ErrorKind::data, where, checked.problem->text,
           "name the kept.jsonl of an earlier run under against");
    }
    if (scan.first_reject.where.empty()) scan.first_reject = {where, checked.problem->text};
    scan.run.reject({name, row.line, checked.problem->rule, clip_text(row.json)});
    scan.rows.add(row, scan.rows.rule_number(kReadStage, checked.problem->rule), 0, 0);
    return;
  }
  const Failure& failure = checked.failure;
  const uint16_t rule = checked.stage == nullptr
                            ? uint16_t{0}
                            : scan.rows.rule_number(checked.stage->name, failure.rule);
  const int64_t number = scan.rows.add(row, rule, failure.value, failure.threshold);
  if (!checked.edits.empty()) scan.rows.edit(number, checked.json, checked.edits);
}

}  // namespace

void scan_file(const std::filesystem::path& path, bool is_earlier_corpus, const Scan& scan,
               int64_t entered) {
  const std::string name = path.string();
  scan.rows.begin_file(path);
  std::vector<Checked> checked;
  int64_t seen = 0;
  for_each_raw_batch(path, scan.batch_bytes, [&](const std::vector<RawRow>& batch) {
    if (scan.poll) scan.poll(entered);
    const auto size = static_cast<int64_t>(batch.size());
    const auto known = static_cast<std::size_t>(std::clamp<int64_t>(entered - seen, 0, size));
    const std::span<const RawRow> rows = std::span(batch).subspan(known);
    seen += size;
    checked.assign(rows.size(), {});
    const auto body = [&](int64_t begin, int64_t end) {
      scan.parsers.with([&](RowFieldParser& parser) {
        for (int64_t i = begin; i < end; ++i) {
          const auto at = static_cast<std::size_t>(i);
          checked[at] = check(rows[at], scan, !is_earlier_corpus, parser);
        }
      });
    };
    scan.run.pool().parallel_for(static_cast<int64_t>(rows.size()), kRowsAtOnce, body);
    for (std::size_t i = 0; i < rows.size(); ++i)
      enter(name, rows[i], checked[i], is_earlier_corpus, scan);
    entered = std::max(entered, seen);
  });
}

}  // namespace cupel::curate

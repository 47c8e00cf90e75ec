#include "curate/scan.h"

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "base/error.h"
#include "data/utf8.h"

namespace cupel::curate {
namespace {

constexpr int64_t kRowsAtOnce = 16;  // a thread

/// What a row came to.
struct Checked {
  std::optional<RowProblem> problem = {};
  const RowStage* stage = nullptr;  // that drops it
  Failure failure = {};
};

Checked check(const RawRow& row, const Scan& scan, bool passes_stages, RowFieldParser& parser) {
  Checked checked;
  if (row.problem != nullptr) {
    checked.problem = *row.problem;
    return checked;
  }
  RowFields fields;
  checked.problem = parser.parse(row.json, row.line, fields);
  if (checked.problem) return checked;
  for (const RowStage& stage : scan.stages) {
    if (!passes_stages) break;
    std::vector<Failure> failed = stage.check(fields);
    if (failed.empty()) continue;
    checked.stage = &stage;
    checked.failure = std::move(failed.front());
    return checked;
  }
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
  if (checked.stage != nullptr) {
    const Failure& failure = checked.failure;
    scan.rows.add(row, scan.rows.rule_number(checked.stage->name, failure.rule), failure.value,
                  failure.threshold);
    return;
  }
  scan.rows.add(row, 0, 0, 0);
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

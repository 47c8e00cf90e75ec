// What a run of `curate` saves on its way, so that one that was cut off goes on where it was.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "base/config.h"
#include "base/run.h"
#include "curate/row_store.h"
#include "curate/scan.h"
#include "curate/semantic.h"
#include "curate/topic.h"

namespace cupel::curate {

/// How far a run has come, beside the decisions that its rows carry.
struct Progress {
  static constexpr int64_t kFormat = 1;
  int64_t format = kFormat;
  int64_t passes = 0;        // that are done
  int64_t files = 0;         // that the first pass has read to their end
  int64_t rows_of_file = 0;  // entered of the next one
  int64_t earlier_rows = 0;  // of `against`
  FirstReject first_reject;
  std::optional<TopicReport> topic;
  std::optional<SemanticReport> semantic;
  RowStore::Saved rows;

  static constexpr auto fields() {
    using C = Progress;
    return std::tuple{
        Field{"format", &C::format, "of this file"},
        Field{"passes", &C::passes, "that are done", 0, 1e18},
        Field{"files", &C::files, "that the first pass has read to their end", 0, 1e18},
        Field{"rows_of_file", &C::rows_of_file, "that it has read of the next one", 0, 1e18},
        Field{"earlier_rows", &C::earlier_rows, "of earlier corpora", 0, 1e18},
        Field{"first_reject", &C::first_reject, "the first row not to be read"},
        Field{"topic", &C::topic, "report of that pass"},
        Field{"semantic", &C::semantic, "report of that pass"},
        Field{"rows", &C::rows, "of the row store"}};
  }
};

/// The folder `checkpoint-curate` of a run: state.json (Progress) and the rows with what was
/// decided on them. Each save takes the place of the one before in one step. In a run without a
/// folder nothing is saved.
class Checkpoint {
 public:
  /// `seconds` between two saves of a pass.
  Checkpoint(double seconds, RowStore& rows, Progress& progress, Run& run);

  /// What an earlier process of this run has saved; false if there is nothing, or if it is damaged
  /// or of another format, which is logged.
  bool load();
  void save();
  /// Within a pass: after the time that was set, and never so often that saving takes more than a
  /// twentieth of the whole.
  void save_if_due();
  /// At a pass's end: unless less than a second's work would be lost.
  void save_pass();
  void remove();

 private:
  double seconds_;
  RowStore& rows_;
  Progress& progress_;
  Run& run_;
  double saved_at_, cost_ = 0;
};

}  // namespace cupel::curate

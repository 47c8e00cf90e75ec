// The last pass: every row's decision, the rows that stay, and what people see of the others.
#pragma once

#include <cstddef>
#include <vector>

#include "base/run.h"
#include "curate/curate.h"
#include "curate/row_store.h"
#include "curate/scan.h"

namespace cupel::curate {

/// What the last pass reads.
struct Decided {
  const std::vector<RowStage>& stages;
  ParserPool& parsers;
  const RowStore& rows;
  int64_t earlier_files = 0, earlier_rows = 0;  // of `against`: they come first in the store
  int64_t input_files = 0;
};

/// Writes kept.jsonl and decisions.jsonl, counts, samples, and tells `truth`, unless it is null,
/// what became of each row. Throws Interrupted when asked to stop.
Report write_outputs(const Decided& decided, Truth* truth, Run& run);

}  // namespace cupel::curate

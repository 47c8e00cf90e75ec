// The pass that cuts passages which repeat out of the rows that are kept so far.
#pragma once

#include <cstdint>

#include "base/run.h"
#include "curate/row_store.h"
#include "curate/substring.h"
#include "curate/texts.h"

namespace cupel::curate {

/// From row `first` on (those before belong to earlier corpora: they are repeated, and stay whole),
/// a row loses the sentences that an earlier kept row holds; by "substring.repeat" it is edited. By
/// "substring.too_short" it is dropped where less than `least_chars` (as TextCounts::width has
/// them) or nothing but white space would be left: the value is what would, `kept` the row that
/// holds the longest of the passages, and none if they repeat within the row alone.
/// Throws Interrupted when asked to stop.
void cut_repeats(const SubstringConfig& config, int64_t least_chars, int64_t first,
                 int64_t memory_limit, ParserPool& parsers, RowStore& rows, Run& run);

}  // namespace cupel::curate

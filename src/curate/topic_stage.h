// Level 3 over a corpus: every row that is left is scored, then those that do not belong are
// dropped.
#pragma once

#include <cstdint>
#include <string>

#include "base/run.h"
#include "curate/row_store.h"
#include "curate/scan.h"
#include "curate/topic.h"
#include "data/read.h"

namespace cupel::curate {

/// Fits on the files that `config` names, whose texts stand in `text_field`, scores the rows
/// from `first` on that nothing has dropped (16 bytes each on disk), estimates the share that
/// belongs from the scores unless the settings give it, and enters rule topic.fit, with the
/// probability as value, for those that are not above config.fit. Throws what reading throws,
/// Error{data} for too few documents, Interrupted when asked to stop.
TopicReport drop_off_topic(const TopicConfig& config, const std::string& text_field,
                           ParserPool& parsers, RowStore& rows, int64_t first, Run& run);

}  // namespace cupel::curate

// Level 3 over a corpus: every row that is left is scored, then those that do not belong are
// dropped.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>

#include "base/config.h"
#include "base/run.h"
#include "curate/row_store.h"
#include "curate/scan.h"
#include "curate/topic.h"

namespace cupel::curate {

/// How well the fit tells the two sets apart on documents it has not seen (held-out folds).
struct TopicReport {
  std::string score, definition;
  double fit = 0, balance = 0;
  std::string balance_from;
  int64_t reference_documents = 0, background_documents = 0;
  double auc = 0, calibration_error = 0, reference_lost = 0, background_kept = 0;
  static constexpr auto fields() {
    using C = TopicReport;
    return std::tuple{
        Field{"score", &C::score, "what the probability is read from"},
        Field{"definition", &C::definition, "of that score"},
        Field{"fit", &C::fit, "probability above which a row stays"},
        Field{"balance", &C::balance, "share of the rows that belong, before they are read"},
        Field{"balance_from", &C::balance_from, "settings, or estimated from the input"},
        Field{"reference_documents", &C::reference_documents, "documents of the domain"},
        Field{"background_documents", &C::background_documents, "documents of anything else"},
        Field{"auc", &C::auc, "chance that a reference document scores above a background one"},
        Field{"calibration_error", &C::calibration_error,
              "mean distance between probability and truth"},
        Field{"reference_lost", &C::reference_lost, "share of the reference at or below fit"},
        Field{"background_kept", &C::background_kept, "share of the background above fit"}};
  }
};

/// Fits on the files that `config` names, whose documents have the input's fields, scores the rows
/// from `first` on that nothing has dropped (16 bytes each in memory), estimates the share that
/// belongs from the scores unless the settings give it, and enters rule topic.fit, with the
/// probability as value, for those that are not above config.fit. Throws what reading throws,
/// Error{data} for too few documents, Interrupted when asked to stop.
TopicReport drop_off_topic(const TopicConfig& config, const CorpusOptions& fields,
                           ParserPool& parsers, RowStore& rows, int64_t first, Run& run);

}  // namespace cupel::curate

// The first pass: every row is read, checked by itself and entered in the store.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/run.h"
#include "curate/row_store.h"
#include "curate/stages.h"
#include "curate/texts.h"

namespace cupel::curate {

inline constexpr std::string_view kReadStage = "read";  // of rows that are rejects

/// The first row of the input that could not be read.
struct FirstReject {
  std::string where, text;  // as in "a.jsonl:3", "field "text": missing"
};

/// What the first pass works on and fills.
struct Scan {
  const std::vector<RowStage>& stages;
  ParserPool& parsers;
  RowStore& rows;
  FirstReject& first_reject;
  std::size_t batch_bytes;  // of rows that are worked on at a time
  Run& run;
};

/// Enters every row of the file, with the rule that dropped it if there is one; rejects go to the
/// run too. Of the file of an earlier corpus every row stays: it passes no stage, and one that
/// cannot be read is Error{data}. Throws Interrupted when asked to stop.
void scan_file(const std::filesystem::path& path, bool is_earlier_corpus, const Scan& scan);

}  // namespace cupel::curate

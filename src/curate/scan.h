// The first pass: every row is read, checked by itself and entered in the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "curate/row_store.h"
#include "curate/stages.h"
#include "curate/texts.h"

namespace cupel::curate {

inline constexpr std::string_view kReadStage = "read";  // of rows that are rejects

/// The first row of the input that could not be read.
struct FirstReject {
  std::string where, text;  // as in "a.jsonl:3", "field "text": missing"
  static constexpr auto fields() {
    using C = FirstReject;
    return std::tuple{Field{"where", &C::where, "file and line"},
                      Field{"text", &C::text, "what is wrong with it"}};
  }
};

/// What the first pass works on and fills.
struct Scan {
  const std::vector<RowStage>& stages;
  ParserPool& parsers;
  RowStore& rows;
  FirstReject& first_reject;
  std::size_t batch_bytes;  // of rows that are worked on at a time
  Run& run;
  /// Called before each batch with the rows of the file that are in the store; may throw to end it.
  std::function<void(int64_t entered)> poll = {};
};

/// Enters every row of the file from row `entered` on (those before it are in the store), with the
/// rule that dropped it if there is one; rejects go to the run too. Of the file of an earlier
/// corpus every row stays: it passes no stage, and one that cannot be read is Error{data}.
void scan_file(const std::filesystem::path& path, bool is_earlier_corpus, const Scan& scan,
               int64_t entered = 0);

}  // namespace cupel::curate

// The first pass: every row is read, checked by itself, and entered with what its text hashes to.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/run.h"
#include "curate/exact.h"
#include "curate/row_store.h"
#include "curate/stages.h"

namespace cupel::curate {

inline constexpr std::string_view kReadStage = "read";  // of rows that are rejects

/// Parsers for as many threads as ask at once; each is made once.
class ParserPool {
 public:
  ParserPool(std::string text_field, std::string id_field,
             std::vector<std::string> required_fields);
  /// Calls use(parser) with a parser that no other thread has meanwhile.
  template <class Use>
  void with(const Use& use) {
    std::unique_ptr<RowFieldParser> parser = take();
    use(*parser);
    const std::lock_guard guard(mutex_);
    idle_.push_back(std::move(parser));
  }

 private:
  std::unique_ptr<RowFieldParser> take();

  std::string text_field_, id_field_;
  std::vector<std::string> required_fields_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RowFieldParser>> idle_;
};

/// What the first pass works on and fills.
struct Scan {
  const std::vector<RowStage>& stages;
  ParserPool& parsers;
  RowStore& rows;
  ExactDuplicates* duplicates;  // null: none are looked for
  std::size_t batch_bytes;
  Run& run;
};

/// Enters every row of the file; those that pass every stage go to `duplicates` too, rejects to the
/// run. Of the file of an earlier corpus every row stays: it passes no stage, and one that cannot
/// be read is Error{data}. Throws Interrupted when asked to stop.
void scan_file(const std::filesystem::path& path, bool is_earlier_corpus, const Scan& scan);

}  // namespace cupel::curate

// Texts: of rows that are in the store, one of them or a pass over all that are kept so far; of a
// file of references.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.h"
#include "base/run.h"
#include "curate/row_store.h"
#include "data/raw_rows.h"

namespace cupel::curate {

/// Parsers for as many threads as ask at once; each is made once.
class ParserPool {
 public:
  ParserPool(std::string text_field, std::string id_field,
             std::vector<std::string> required_fields);
  const std::string& text_field() const { return text_field_; }
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

/// What a row of the store says. It was read before, so Error{data} if it no longer can be: the
/// input has changed. `json` holds what `fields` points at.
void read_fields(const RowStore& rows, const RowRecord& record, RowFieldParser& parser,
                 std::string& json, RowFields& fields);

/// The texts of a file of documents, `text_field` of each; its rejects go to the run. Throws what
/// reading throws, Interrupted when asked to stop.
std::vector<std::string> texts_of(const Path& path, const std::string& text_field, Run& run);

/// Rows that a pass has in hand at a time, and bytes of them unless one row has more.
inline constexpr int64_t kPassRows = 4096, kPassBytes = int64_t{64} << 20;

/// For every row that no stage has dropped: work(row, slot, text) on many threads, then enter(row,
/// slot) on this one, in the order of the rows. `slot` is below kPassRows and belongs to the row
/// until it is entered. Throws Interrupted when asked to stop.
void for_each_kept_text(const RowStore& rows, ParserPool& parsers, Run& run, std::string_view note,
                        const std::function<void(int64_t, std::size_t, std::string_view)>& work,
                        const std::function<void(int64_t, std::size_t)>& enter);

}  // namespace cupel::curate

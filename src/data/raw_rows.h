// Rows as bytes, for work that looks at a few fields of a row and passes the row on as it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/read.h"

namespace cupel {

struct RawRow {
  std::string_view
      json;            // the row's object on one line, without its end; of a .jsonl: as it stands
  int64_t line = 0;    // from 1
  int64_t offset = 0;  // where `json` stands in a file that holds_rows(), else -1
  const RowProblem* problem = nullptr;  // why it is no row; `json` then holds its beginning
};

/// Whether rows of the file can be read again at their offset: a .jsonl that is not compressed.
bool holds_rows(const std::filesystem::path& path);

/// Calls take(rows) for all rows of the file in order, those that cannot be read among them, each
/// time about `batch_bytes` of them; what they point at lives during the call. Formats as
/// for_each_row has them, but .jsonl rows are handed over unparsed. Memory is bounded by
/// batch_bytes and the longest row (kMaxRowBytes; a .json file is held whole). Throws what opening
/// and decompressing throws, and Error{data} for a broken document.
void for_each_raw_batch(const std::filesystem::path& path, std::size_t batch_bytes,
                        const std::function<void(const std::vector<RawRow>&)>& take);

/// What curation needs of a row; the views live until the parser's next row.
struct RowFields {
  std::string_view text;
  std::string id;            // the file's own, or the line number
  std::string_view missing;  // the first required field that is missing, null or empty; else empty
};

/// Reads rows with the checks of read_corpus. One a thread; rows over 1 MiB are parsed one at a
/// time, in about 14 times their size.
class RowFieldParser {
 public:
  RowFieldParser(std::string text_field, std::string id_field,
                 std::vector<std::string> required_fields);
  ~RowFieldParser();
  RowFieldParser(RowFieldParser&&) noexcept;

  /// Fills `fields`, or says why the row cannot be taken ("json", "utf8", "missing_field", …).
  std::optional<RowProblem> parse(std::string_view json, int64_t line, RowFields& fields);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel

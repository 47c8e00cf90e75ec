// A .json file: one array of rows, or an object of such arrays by split.
#include "data/byte_stream.h"
#include "data/formats.h"

namespace cupel::formats {

namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 30;

}  // namespace

void read_json(const std::filesystem::path& path, const ReadOptions& options, RowTaker& taker) {
  read_json_document(read_all(path, kMaxDocumentBytes), options, taker);
}

}  // namespace cupel::formats

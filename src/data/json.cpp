// A .json file: one array of rows, or an object of such arrays by split.
#include "data/byte_stream.h"
#include "data/formats.h"

namespace cupel::formats {

namespace {

constexpr std::size_t kMaxDocumentBytes = std::size_t{1} << 30;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

void read_json(const std::filesystem::path& path, const ReadOptions& options, RowTaker& taker) {
  std::string text = read_all(path, kMaxDocumentBytes);
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  read_json_document(std::move(text), options, taker);
}

}  // namespace cupel::formats

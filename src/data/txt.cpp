// Plain text: a document a line, or the whole file as one.
#include <algorithm>

#include "data/byte_stream.h"
#include "data/formats.h"
#include "data/line_reader.h"
#include "data/utf8.h"

namespace cupel::formats {

namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

void take_text(std::string_view text, int64_t line, RowTaker& taker) {
  if (const auto bad = find_invalid_utf8(text)) {
    const int64_t bad_line =
        line + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*bad), '\n');
    taker.reject({"utf8", "not valid UTF-8 at byte " + std::to_string(*bad)}, bad_line,
                 text.substr(*bad < 100 ? 0 : *bad - 100));
    return;
  }
  taker.take(json::Object{{"text", text}}, line, text);
}

}  // namespace

void read_txt_lines(const std::filesystem::path& path, RowTaker& taker) {
  LineReader reader(path);
  Line line;
  while (reader.next(line)) {
    if (line.too_long) {
      taker.reject(too_long(), line.number, line.text);
    } else if (!line.text.empty()) {
      take_text(line.text, line.number, taker);
    }
  }
}

void read_txt_whole(const std::filesystem::path& path, const std::function<void()>& poll,
                    RowTaker& taker) {
  take_text(read_all(path, kMaxTextBytes, poll), 1, taker);
}

}  // namespace cupel::formats

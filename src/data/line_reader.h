// Lines of a file, one by one, in bounded memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "data/byte_stream.h"

namespace cupel {

/// The longest row that is read; a longer one is a reject.
inline constexpr std::size_t kMaxRowBytes = std::size_t{32} << 20;

/// U+FEFF in UTF-8, which some programs write before a text.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct Line {
  std::string_view text;  // without its end ("\n" or "\r\n"); lives until the next call
  int64_t number = 0;     // from 1
  bool too_long = false;  // text is the beginning only
  int64_t offset = 0;     // where it begins among the file's bytes, decompressed
};

/// A byte order mark at the start is skipped. A last line without "\n" counts.
class LineReader {
 public:
  explicit LineReader(const std::filesystem::path& path);
  /// False at the end of the file. Throws what ByteStream throws, and Error{data} if the file
  /// decompresses to nothing.
  bool next(Line& line);

 private:
  bool fill();
  void skip_rest_of_line();

  std::string name_;
  ByteStream stream_;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what is left of buffer_
  int64_t number_ = 0;
  int64_t base_ = 0;  // offset of buffer_[0]
};

}  // namespace cupel

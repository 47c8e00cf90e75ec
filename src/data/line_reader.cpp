#include "data/line_reader.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace cupel {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 18;
constexpr std::size_t kShownBytes = 1024;  // of a line that is too long

}  // namespace

LineReader::LineReader(const std::filesystem::path& path) : name_(path.string()), stream_(path) {
  if (!fill()) fail(ErrorKind::data, name_, "file is empty", "give a file with at least one row");
  while (end_ < kByteOrderMark.size() && fill()) {
  }
  if (std::string_view(buffer_.data(), end_).starts_with(kByteOrderMark)) {
    begin_ = kByteOrderMark.size();
  }
}

/// Appends more bytes of the file; false at its end.
bool LineReader::fill() {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    base_ += static_cast<int64_t>(begin_);
    begin_ = 0;
  }
  if (buffer_.size() < end_ + kChunkBytes) {
    buffer_.resize(std::max(end_ + kChunkBytes, buffer_.size() * 3 / 2));
  }
  const std::size_t got = stream_.read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += got;
  return got > 0;
}

bool LineReader::next(Line& line) {
  std::size_t searched = 0;
  while (true) {
    const char* start = buffer_.data() + begin_;
    const auto* newline =
        static_cast<const char*>(std::memchr(start + searched, '\n', end_ - begin_ - searched));
    if (newline != nullptr) {
      std::size_t size = static_cast<std::size_t>(newline - start);
      const int64_t offset = base_ + static_cast<int64_t>(begin_);
      begin_ += size + 1;
      if (size > 0 && start[size - 1] == '\r') --size;
      line = {{start, size}, ++number_, size > kMaxRowBytes, offset};
      return true;
    }
    searched = end_ - begin_;
    if (searched > kMaxRowBytes) {
      line = {{start, kShownBytes}, ++number_, true, base_ + static_cast<int64_t>(begin_)};
      skip_rest_of_line();
      return true;
    }
    if (!fill()) break;
  }
  if (begin_ == end_) return false;
  line = {{buffer_.data() + begin_, end_ - begin_},
          ++number_,
          false,
          base_ + static_cast<int64_t>(begin_)};
  begin_ = end_;
  return true;
}

/// Leaves the first kShownBytes in place for the line that points at them.
void LineReader::skip_rest_of_line() {
  const std::size_t kept = begin_ + kShownBytes;
  base_ += static_cast<int64_t>(end_ - kept);  // what is read now lands there
  while (true) {
    const std::size_t got = stream_.read(buffer_.data() + kept, buffer_.size() - kept);
    if (got == 0) {
      begin_ = end_ = 0;
      return;
    }
    const char* start = buffer_.data() + kept;
    if (const auto* newline = static_cast<const char*>(std::memchr(start, '\n', got))) {
      begin_ = kept + static_cast<std::size_t>(newline - start) + 1;
      end_ = kept + got;
      return;
    }
    base_ += static_cast<int64_t>(got);
  }
}

}  // namespace cupel

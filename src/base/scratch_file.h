// A file without a name: room on disk for what a run works with and does not leave behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace cupel {

/// Never seen in its folder, so it is gone when the process ends, however that happens. Like
/// base/atomic_file.h, throws Error{resource} for a full disk and Error{config} for a place that is
/// not ours to write.
class ScratchFile {
 public:
  /// In `folder`, or where the system keeps temporary files if that is empty.
  explicit ScratchFile(const std::filesystem::path& folder);
  ~ScratchFile();
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  /// At the end; the place where the bytes begin.
  int64_t append(std::string_view bytes);
  /// Over what was appended.
  void write(int64_t at, std::string_view bytes);
  /// Exactly `size` bytes that were appended; from any thread, while nothing is appended.
  void read(int64_t at, char* out, std::size_t size) const;
  int64_t size() const { return written_ + static_cast<int64_t>(buffer_.size()); }

 private:
  void flush();

  std::filesystem::path folder_;
  int fd_ = -1;
  int64_t written_ = 0;
  std::string buffer_;  // appended, not yet written
};

}  // namespace cupel

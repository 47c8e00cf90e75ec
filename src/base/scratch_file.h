// A file without a name: room on disk for what a run works with and does not leave behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

namespace cupel {

/// A record as it lies in a file.
template <class T>
std::string_view bytes_of(const T& record) {
  return {reinterpret_cast<const char*>(&record), sizeof record};
}

/// Never seen in its folder, so it is gone when the process ends, however that happens; unless it
/// was given a name by link_to(), for another process to go on with. Safe to use from several
/// threads at once. Like base/atomic_file.h, throws Error{resource} for a full disk and
/// Error{config} for a place that is not ours to write.
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
  /// Exactly `size` bytes that were appended.
  void read(int64_t at, char* out, std::size_t size) const;
  int64_t size() const;
  /// Of the file, with all that was appended in it, so that it can be mapped; it stays ours.
  int descriptor();

  /// The bytes as a file of their own.
  void copy_to(const std::filesystem::path& path) const;
  /// A name for this file, on the same disk: what is written later is seen under it too. A copy
  /// where the file system cannot do that.
  void link_to(const std::filesystem::path& path);
  /// In place of what this file holds: the first `size` bytes of another, which must be there.
  void copy_from(const std::filesystem::path& path, int64_t size);
  /// The same, and from now on works in that file itself; bytes behind `size` are written over.
  void adopt(const std::filesystem::path& path, int64_t size);

 private:
  void flush();
  void write_out(int64_t at, std::string_view bytes);

  std::filesystem::path folder_;
  mutable std::mutex mutex_;  // of what follows
  int fd_ = -1;
  int64_t written_ = 0;
  std::string buffer_;  // appended, not yet written
};

}  // namespace cupel

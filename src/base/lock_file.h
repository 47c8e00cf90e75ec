// The lock on a run folder: held by one live process, taken over from a dead one.
#pragma once

#include <filesystem>

namespace cupel {

/// Holds `path` (pid, start time of that process, boot id) until destroyed, and then removes it.
/// Throws Error{config} naming the other process if one holds it; flock() decides, and where a file
/// system lacks it, whether the process named in the file still lives.
class LockFile {
 public:
  explicit LockFile(std::filesystem::path path);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  /// False once somebody removed the file, or the folder with it.
  bool is_in_place() const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace cupel

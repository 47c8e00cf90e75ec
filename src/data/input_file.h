// Opening an input file, with the errors that every reader shares.
#pragma once

#include <cstdint>
#include <filesystem>
#include <utility>

namespace cupel {

/// An open file descriptor, closed on destruction.
class InputFile {
 public:
  /// Throws Error{config} if the path is missing, not a regular file or unreadable, Error{data} if
  /// the file is empty.
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}
  InputFile& operator=(InputFile&&) = delete;

  int fd() const { return fd_; }
  int64_t size() const { return size_; }

 private:
  int fd_ = -1;
  int64_t size_ = 0;
};

}  // namespace cupel

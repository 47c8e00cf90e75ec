#include "base/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/atomic_file.h"
#include "base/error.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kScratchBytes = std::size_t{1} << 20;

[[noreturn]] void fail_scratch(const fs::path& place, const char* doing, int code) {
  const bool denied = code == EACCES || code == EPERM || code == ENOENT || code == ENOTDIR;
  fail(denied ? ErrorKind::config : ErrorKind::resource, place.string(),
       std::string("cannot ") + doing + " a temporary file: " + std::strerror(code),
       code == ENOSPC || code == EDQUOT
           ? "free some space there, or choose another place with --out"
           : "choose another place with --out");
}

/// A file that no folder names; where the file system cannot make one, a name is given and taken.
int open_unnamed(const fs::path& folder) {
  int fd;
  do {
    fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string name = (folder / ".staging-scratch-XXXXXX").string();
  fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd >= 0) ::unlink(name.c_str());
  return fd;
}

/// Fills `out` from what lies in the file at `at`.
void read_out(int fd, int64_t at, char* out, std::size_t size, const fs::path& place) {
  while (size > 0) {
    const ssize_t got = ::pread(fd, out, size, at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_scratch(place, "read", got < 0 ? errno : EIO);
    out += got;
    at += got;
    size -= static_cast<std::size_t>(got);
  }
}

/// Opened, or an error that names it.
int open_named(const fs::path& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) fail_scratch(path, "open", errno);
  return fd;
}

}  // namespace

ScratchFile::ScratchFile(const fs::path& folder)
    : folder_(folder.empty() ? fs::temp_directory_path() : folder), fd_(open_unnamed(folder_)) {
  if (fd_ < 0) fail_scratch(folder_, "make", errno);
}

ScratchFile::~ScratchFile() { ::close(fd_); }

int64_t ScratchFile::size() const {
  const std::lock_guard guard(mutex_);
  return written_ + static_cast<int64_t>(buffer_.size());
}

int ScratchFile::descriptor() {
  const std::lock_guard guard(mutex_);
  flush();
  return fd_;
}

int64_t ScratchFile::append(std::string_view bytes) {
  const std::lock_guard guard(mutex_);
  const int64_t begin = written_ + static_cast<int64_t>(buffer_.size());
  if (bytes.size() < kScratchBytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kScratchBytes) flush();
  } else {  // a copy would buy nothing
    flush();
    write_out(written_, bytes);
    written_ += static_cast<int64_t>(bytes.size());
  }
  return begin;
}

void ScratchFile::flush() {
  write_out(written_, buffer_);
  written_ += static_cast<int64_t>(buffer_.size());
  buffer_.clear();
}

void ScratchFile::write_out(int64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd_, bytes.data(), bytes.size(), at);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_scratch(folder_, "write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    at += done;
  }
}

void ScratchFile::write(int64_t at, std::string_view bytes) {
  const std::lock_guard guard(mutex_);
  const int64_t end = at + static_cast<int64_t>(bytes.size());
  CUPEL_ASSERT(at >= 0 && end <= written_ + static_cast<int64_t>(buffer_.size()));
  if (at >= written_) {
    bytes.copy(buffer_.data() + (at - written_), bytes.size());
    return;
  }
  if (end > written_) flush();
  write_out(at, bytes);
}

void ScratchFile::read(int64_t at, char* out, std::size_t size) const {
  std::size_t in_file = size;
  {
    const std::lock_guard guard(mutex_);
    const int64_t end = at + static_cast<int64_t>(size);
    CUPEL_ASSERT(at >= 0 && end <= written_ + static_cast<int64_t>(buffer_.size()));
    if (end > written_) {
      in_file = static_cast<std::size_t>(std::max<int64_t>(0, written_ - at));
      const auto begin = static_cast<std::size_t>(std::max<int64_t>(0, at - written_));
      buffer_.copy(out + in_file, size - in_file, begin);
    }
  }
  read_out(fd_, at, out, in_file, folder_);
}

void ScratchFile::copy_to(const fs::path& path) const {
  AtomicFile copy(path);
  std::string block;
  const int64_t end = size();
  for (int64_t at = 0; at < end; at += static_cast<int64_t>(block.size())) {
    block.resize(std::min(kScratchBytes, static_cast<std::size_t>(end - at)));
    read(at, block.data(), block.size());
    copy.append(block);
  }
  copy.commit();
}

void ScratchFile::link_to(const fs::path& path) {
  {
    const std::lock_guard guard(mutex_);
    flush();
  }
  const std::string self = "/proc/self/fd/" + std::to_string(fd_);
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0)
    copy_to(path);
}

void ScratchFile::copy_from(const fs::path& path, int64_t size) {
  const int fd = open_named(path, O_RDONLY);
  {
    const std::lock_guard guard(mutex_);
    written_ = 0;
    buffer_.clear();
  }
  try {
    std::string block;
    for (int64_t at = 0; at < size; at += static_cast<int64_t>(block.size())) {
      block.resize(std::min(kScratchBytes, static_cast<std::size_t>(size - at)));
      read_out(fd, at, block.data(), block.size(), path);
      append(block);
    }
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
}

void ScratchFile::adopt(const fs::path& path, int64_t size) {
  const int fd = open_named(path, O_RDWR);
  const std::lock_guard guard(mutex_);
  ::close(fd_);
  fd_ = fd;
  written_ = size;
  buffer_.clear();
}

}  // namespace cupel

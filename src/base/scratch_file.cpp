#include "base/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

[[noreturn]] void fail_scratch(const fs::path& folder, const char* doing, int code) {
  const bool denied = code == EACCES || code == EPERM || code == ENOENT || code == ENOTDIR;
  fail(denied ? ErrorKind::config : ErrorKind::resource, folder.string(),
       std::string("cannot ") + doing + " a temporary file: " + std::strerror(code),
       code == ENOSPC || code == EDQUOT
           ? "free some space there, or choose another place with --out"
           : "choose another place with --out");
}

/// A file that has a name for a moment, for file systems that know no O_TMPFILE.
int open_and_unlink(const fs::path& folder) {
  std::string name = (folder / ".staging-scratch-XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd >= 0) ::unlink(name.c_str());
  return fd;
}

}  // namespace

ScratchFile::ScratchFile(const fs::path& folder)
    : folder_(folder.empty() ? fs::temp_directory_path() : folder),
      fd_(::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)) {
  if (fd_ < 0) fd_ = open_and_unlink(folder_);
  if (fd_ < 0) fail_scratch(folder_, "make", errno);
}

ScratchFile::~ScratchFile() { ::close(fd_); }

int64_t ScratchFile::append(std::string_view bytes) {
  const int64_t begin = size();
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
  return begin;
}

void ScratchFile::flush() {
  const int64_t at = written_;
  written_ += static_cast<int64_t>(buffer_.size());
  write(at, buffer_);
  buffer_.clear();
}

void ScratchFile::write(int64_t at, std::string_view bytes) {
  CUPEL_ASSERT(at >= 0 && at + static_cast<int64_t>(bytes.size()) <= size());
  if (at + static_cast<int64_t>(bytes.size()) > written_) {
    if (at >= written_) {
      bytes.copy(buffer_.data() + (at - written_), bytes.size());
      return;
    }
    flush();
  }
  while (!bytes.empty()) {
    const ssize_t done = ::pwrite(fd_, bytes.data(), bytes.size(), at);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) fail_scratch(folder_, "write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(done));
    at += done;
  }
}

void ScratchFile::read(int64_t at, char* out, std::size_t size_wanted) const {
  CUPEL_ASSERT(at >= 0 && at + static_cast<int64_t>(size_wanted) <= size());
  while (size_wanted > 0 && at < written_) {
    const auto in_file = static_cast<std::size_t>(written_ - at);
    const ssize_t got = ::pread(fd_, out, std::min(size_wanted, in_file), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_scratch(folder_, "read", got < 0 ? errno : EIO);
    out += got;
    at += got;
    size_wanted -= static_cast<std::size_t>(got);
  }
  std::string_view(buffer_)
      .substr(static_cast<std::size_t>(std::max<int64_t>(0, at - written_)))
      .copy(out, size_wanted);
}

}  // namespace cupel

#include "base/atomic_file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.h"

namespace cupel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStagingPrefix = ".staging-";
constexpr std::size_t kBufferBytes = std::size_t{1} << 20;

/// Turns errno into the error of the path: who is to blame decides the kind.
[[noreturn]] void fail_errno(const fs::path& path, const char* doing, int code) {
  auto kind = ErrorKind::resource;
  const char* hint = "check the disk";
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      hint = "free some space there, then continue with --resume";
      break;
    case EROFS:
      hint = "choose a writable place with --out";
      break;
    case EFBIG:
      hint = "raise the file size limit (ulimit -f), then continue with --resume";
      break;
    case EMFILE:
    case ENFILE:
      hint = "raise the limit of open files (ulimit -n)";
      break;
    case EIO:
      hint = "the disk reports errors: check it (dmesg), or choose another with --out";
      break;
    case ENOENT:
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      kind = ErrorKind::config;
      hint = "check the path";
      break;
    case EACCES:
    case EPERM:
      kind = ErrorKind::config;
      hint = "check the permissions, or choose another path";
      break;
    default:
      break;
  }
  fail(kind, path.string(), std::string("cannot ") + doing + ": " + std::strerror(code), hint);
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

int open_or_fail(const fs::path& path, int flags, const char* doing) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) fail_errno(path, doing, errno);
  return fd;
}

/// Writes all of it; short writes and interruptions are continued. Returns errno, or 0.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

void sync_or_fail(int fd, const fs::path& path) {
  while (::fsync(fd) != 0) {
    if (errno != EINTR) fail_errno(path, "sync", errno);
  }
}

void sync_path(const fs::path& path) {
  const Descriptor file(open_or_fail(path, O_RDONLY, "open"));
  sync_or_fail(file.get(), path);
}

fs::path folder_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? fs::path(".") : parent;
}

void rename_or_fail(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_errno(to, "rename into place", errno);
  sync_path(folder_of(to));
}

/// A name beside `path` that no other process or thread uses.
fs::path staging_path(const fs::path& path) {
  static std::atomic<uint64_t> counter{0};
  return folder_of(path) / (std::string(kStagingPrefix) + path.filename().string() + "-" +
                            std::to_string(::getpid()) + "-" + std::to_string(counter++));
}

void sync_tree(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() || entry.is_directory()) sync_path(entry.path());
  }
  sync_path(folder);
}

/// Removes the staged file or folder unless told that it has found its place.
struct StagingGuard {
  fs::path path;
  ~StagingGuard() {
    std::error_code ignored;
    if (!path.empty()) fs::remove_all(path, ignored);
  }
};

/// Where the last whole line of the file ends, looking back from `size`.
int64_t end_of_last_line(int fd, const fs::path& path, int64_t size) {
  char block[4096];
  while (size > 0) {
    const int64_t begin = std::max<int64_t>(0, size - static_cast<int64_t>(sizeof block));
    const ssize_t got = ::pread(fd, block, static_cast<std::size_t>(size - begin), begin);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_errno(path, "read", got < 0 ? errno : EIO);
    const std::size_t newline = std::string_view(block, static_cast<std::size_t>(got)).rfind('\n');
    if (newline != std::string_view::npos) return begin + static_cast<int64_t>(newline) + 1;
    size = begin;
  }
  return 0;
}

/// SHA-256 fed piece by piece.
class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    CUPEL_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void add(const char* bytes, std::size_t count) {
    CUPEL_ASSERT(EVP_DigestUpdate(context_.get(), bytes, count) == 1);
  }
  std::string hex() {
    unsigned char digest[32];
    CUPEL_ASSERT(EVP_DigestFinal_ex(context_.get(), digest, nullptr) == 1);
    std::string text;
    for (const unsigned char byte : digest) {
      text += "0123456789abcdef"[byte >> 4];
      text += "0123456789abcdef"[byte & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

/// Calls take(bytes, count) on the file, a block at a time.
template <class Take>
void read_blocks(const fs::path& path, Take&& take) {
  const Descriptor file(open_or_fail(path, O_RDONLY, "open"));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_errno(path, "read", errno);
  if (S_ISDIR(status.st_mode)) fail_errno(path, "read", EISDIR);
  std::vector<char> block(kBufferBytes);
  while (true) {
    const ssize_t got = ::read(file.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_errno(path, "read", errno);
    if (got == 0) return;
    take(block.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

AtomicFile::AtomicFile(fs::path path) : path_(std::move(path)), staging_(staging_path(path_)) {
  try {
    fd_ = open_or_fail(staging_, O_WRONLY | O_CREAT | O_EXCL, "write");
  } catch (const Error& error) {
    fail(error.kind(), path_.string(), error.text(), error.hint());
  }
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(staging_.c_str());
}

void AtomicFile::append(std::string_view bytes) {
  CUPEL_ASSERT(fd_ >= 0);
  if (bytes.size() < kBufferBytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kBufferBytes) flush();
    return;
  }
  flush();  // a copy would buy nothing
  if (const int code = write_all(fd_, bytes); code != 0) fail_errno(path_, "write", code);
}

void AtomicFile::flush() {
  if (const int code = write_all(fd_, buffer_); code != 0) fail_errno(path_, "write", code);
  buffer_.clear();
}

void AtomicFile::commit() {
  CUPEL_ASSERT(fd_ >= 0);
  flush();
  sync_or_fail(fd_, path_);
  rename_or_fail(staging_, path_);
  ::close(std::exchange(fd_, -1));
}

void write_file_atomically(const fs::path& path, std::string_view bytes) {
  AtomicFile file(path);
  file.append(bytes);
  file.commit();
}

void write_folder_atomically(const fs::path& path,
                             const std::function<void(const fs::path&)>& fill) {
  StagingGuard staging{staging_path(path)};
  if (::mkdir(staging.path.c_str(), 0777) != 0) fail_errno(path, "make the folder", errno);
  fill(staging.path);
  sync_tree(staging.path);
  if (!fs::exists(fs::symlink_status(path))) {
    rename_or_fail(staging.path, path);
    staging.path.clear();
    return;
  }
  const auto from = staging.path.c_str();
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, path.c_str(), RENAME_EXCHANGE) != 0) {
    fail_errno(path, "replace", errno);
  }
  sync_path(folder_of(path));
}

void remove_staging(const fs::path& folder) {
  std::vector<fs::path> left;
  std::error_code ignored;
  for (auto it = fs::recursive_directory_iterator(folder, ignored);
       it != fs::recursive_directory_iterator(); it.increment(ignored)) {
    if (!it->path().filename().string().starts_with(kStagingPrefix)) continue;
    it.disable_recursion_pending();
    left.push_back(it->path());
  }
  for (const fs::path& path : left) remove_path(path);
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_errno(path, "make the folder", error.value());
  sync_path(folder_of(path));
}

void remove_path(const fs::path& path) {
  const fs::path aside = staging_path(path);
  if (::rename(path.c_str(), aside.c_str()) != 0) {
    if (errno == ENOENT) return;
    fail_errno(path, "remove", errno);
  }
  std::error_code error;
  fs::remove_all(aside, error);
  if (error) fail_errno(path, "remove", error.value());
}

AppendFile::AppendFile(fs::path path, int64_t keep_bytes, Unit unit)
    : path_(std::move(path)), unit_(unit) {
  Descriptor file(open_or_fail(path_, O_RDWR | O_CREAT | O_APPEND, "write"));
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_errno(path_, "read", errno);
  written_ = std::min<int64_t>(status.st_size, keep_bytes);
  if (unit_ == Unit::line) written_ = end_of_last_line(file.get(), path_, written_);
  if (written_ < status.st_size && ::ftruncate(file.get(), written_) != 0) {
    fail_errno(path_, "cut", errno);
  }
  fd_ = file.release();
}

AppendFile::~AppendFile() {
  write_all(fd_, buffer_);
  ::close(fd_);
}

void AppendFile::append(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void AppendFile::flush() {
  const std::string bytes = std::exchange(buffer_, {});
  if (const int code = write_all(fd_, bytes); code != 0) {
    if (::ftruncate(fd_, written_) != 0) fail_errno(path_, "cut", errno);
    fail_errno(path_, "write", code);
  }
  written_ += static_cast<int64_t>(bytes.size());
}

void AppendFile::sync() {
  flush();
  sync_or_fail(fd_, path_);
}

void AppendFile::cut(int64_t keep_bytes) {
  flush();
  if (keep_bytes >= written_) return;
  const int64_t keep = unit_ == Unit::line ? end_of_last_line(fd_, path_, keep_bytes) : keep_bytes;
  if (::ftruncate(fd_, keep) != 0) fail_errno(path_, "cut", errno);
  written_ = keep;
}

std::string read_file(const fs::path& path, int64_t limit) {
  std::string bytes;
  read_blocks(path, [&](const char* block, std::size_t count) {
    if (static_cast<int64_t>(bytes.size() + count) > limit) {
      fail(ErrorKind::data, path.string(),
           "larger than the limit of " + std::to_string(limit) + " bytes", "use a smaller file");
    }
    bytes.append(block, count);
  });
  return bytes;
}

int64_t free_disk_bytes(const fs::path& path) {
  fs::path place = fs::absolute(path);
  std::error_code ignored;
  while (!fs::exists(place, ignored) && place.has_relative_path()) place = place.parent_path();
  struct statvfs status {};
  if (::statvfs(place.c_str(), &status) != 0) fail_errno(place, "ask for free space", errno);
  return static_cast<int64_t>(status.f_bavail) * static_cast<int64_t>(status.f_frsize);
}

void require_free_disk(const fs::path& path, int64_t bytes) {
  const int64_t available = free_disk_bytes(path);
  if (available >= bytes) return;
  const auto mib = [](int64_t count) { return std::to_string(count >> 20) + " MiB"; };
  fail(ErrorKind::resource, path.string(),
       "not enough space: " + mib(available) + " free, " + mib(bytes) + " needed",
       "free some space there, or choose another place with --out");
}

std::string sha256_file(const fs::path& path) {
  Sha256 hash;
  read_blocks(path, [&](const char* block, std::size_t count) { hash.add(block, count); });
  return hash.hex();
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

}  // namespace cupel

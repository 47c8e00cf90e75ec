#include "base/spill.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace cupel {
namespace {

[[noreturn]] void fail_errno(const std::filesystem::path& folder, const char* doing, int code) {
  fail(ErrorKind::resource, folder.string(),
       std::string("cannot ") + doing + " a temporary file: " + std::strerror(code),
       "free some space there, or allow more memory");
}

/// A file that no folder names; where the file system cannot make one, a name is given and taken.
int open_unnamed(const std::filesystem::path& folder) {
  int fd;
  do {
    fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return fd;
  std::string path = (folder / ".staging-spill-XXXXXX").string();
  fd = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd >= 0) ::unlink(path.c_str());
  return fd;
}

/// The system gets the whole pages of a buffer that is about to be freed: an allocator keeps what a
/// thread freed for that thread, and blocks are put by one and replaced by another.
void return_pages(std::vector<std::byte>& bytes) {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page,
                       last = (begin + bytes.size()) / page * page;
  if (first < last) ::madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

struct Block {
  std::vector<std::byte> bytes;
  int64_t offset = -1;  // in the file; -1: in memory
  int64_t size = 0;
};

}  // namespace

struct BlockStore::Impl {
  Impl(int64_t memory_bytes, std::filesystem::path place)
      : memory_left(memory_bytes),
        folder(place.empty() ? std::filesystem::temp_directory_path() : std::move(place)) {}

  int64_t memory_left;
  std::filesystem::path folder;
  mutable std::mutex mutex;
  std::vector<Block> blocks;
  int fd = -1;
  int64_t file_bytes = 0;

  int64_t append_to_file(std::span<const std::byte> bytes) {
    if (fd < 0 && (fd = open_unnamed(folder)) < 0) fail_errno(folder, "make", errno);
    const int64_t begin = file_bytes;
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_errno(folder, "write", errno);
      file_bytes += written;
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return begin;
  }
};

BlockStore::BlockStore(int64_t memory_bytes, std::filesystem::path folder)
    : impl_(std::make_unique<Impl>(memory_bytes, std::move(folder))) {}

BlockStore::~BlockStore() {
  if (impl_->fd >= 0) ::close(impl_->fd);
}

int64_t BlockStore::put(std::span<const std::byte> bytes) {
  const std::lock_guard lock(impl_->mutex);
  Block block;
  block.size = static_cast<int64_t>(bytes.size());
  if (block.size <= impl_->memory_left) {
    block.bytes.assign(bytes.begin(), bytes.end());
    impl_->memory_left -= block.size;
  } else {
    block.offset = impl_->append_to_file(bytes);
  }
  impl_->blocks.push_back(std::move(block));
  return static_cast<int64_t>(impl_->blocks.size()) - 1;
}

void BlockStore::read(int64_t block, int64_t offset, std::span<std::byte> out) const {
  int64_t at;
  {
    const std::lock_guard lock(impl_->mutex);
    const Block& from = impl_->blocks.at(static_cast<std::size_t>(block));
    CUPEL_ASSERT(offset >= 0 && offset + static_cast<int64_t>(out.size()) <= from.size);
    if (from.offset < 0) {
      if (!out.empty()) std::memcpy(out.data(), from.bytes.data() + offset, out.size());
      return;
    }
    at = from.offset + offset;
  }
  while (!out.empty()) {
    const ssize_t got = ::pread(impl_->fd, out.data(), out.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail_errno(impl_->folder, "read", got < 0 ? errno : EIO);
    at += got;
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void BlockStore::drop(int64_t block) {
  const std::lock_guard lock(impl_->mutex);
  Block& gone = impl_->blocks.at(static_cast<std::size_t>(block));
  if (gone.offset < 0) impl_->memory_left += std::exchange(gone.size, 0);
  return_pages(gone.bytes);
  gone.bytes = {};
}

int64_t BlockStore::spilled_bytes() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->file_bytes;
}

}  // namespace cupel

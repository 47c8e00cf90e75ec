#include "base/spill.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/scratch_file.h"

namespace cupel {
namespace {

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
      : memory_left(memory_bytes), folder(std::move(place)) {}

  int64_t memory_left;
  std::filesystem::path folder;
  mutable std::mutex mutex;
  std::vector<Block> blocks;
  std::optional<ScratchFile> file;  // made when it is first needed
};

BlockStore::BlockStore(int64_t memory_bytes, std::filesystem::path folder)
    : impl_(std::make_unique<Impl>(memory_bytes, std::move(folder))) {}

BlockStore::~BlockStore() = default;

int64_t BlockStore::put(std::span<const std::byte> bytes) {
  const std::lock_guard lock(impl_->mutex);
  Block block;
  block.size = static_cast<int64_t>(bytes.size());
  if (block.size <= impl_->memory_left) {
    block.bytes.assign(bytes.begin(), bytes.end());
    impl_->memory_left -= block.size;
  } else {
    if (!impl_->file) impl_->file.emplace(impl_->folder);
    block.offset = impl_->file->append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
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
  impl_->file->read(at, reinterpret_cast<char*>(out.data()), out.size());
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
  return impl_->file ? impl_->file->size() : 0;
}

}  // namespace cupel

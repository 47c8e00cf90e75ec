// A file as read-only memory, for model weights and token shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/scratch_file.h"

namespace cupel {

/// Unmapped on destruction: what points into it must not outlive it. Cutting the file short while
/// it is mapped is outside the contract; our own files are replaced, never changed in place.
class MappedFile {
 public:
  MappedFile() = default;
  /// Throws Error{config} if the file is missing, a folder or unreadable; Error{data} if it is
  /// empty; Error{resource} if it cannot be mapped.
  explicit MappedFile(const std::filesystem::path& path);
  /// What was appended to `file`, which may go before this does. Throws Error{resource} if it
  /// cannot be mapped.
  explicit MappedFile(ScratchFile& file);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  /// Gives back the memory that these of its bytes take; what is read again comes from the file.
  void release(std::span<const std::byte> part) const;

 private:
  void map(int fd, std::size_t size, const std::string& name);

  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cupel

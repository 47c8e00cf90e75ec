// A file as read-only memory, for model weights and token shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

namespace cupel {

/// Unmapped on destruction: what points into it must not outlive it. Cutting the file short while
/// it is mapped is outside the contract; our own files are replaced, never changed in place.
class MappedFile {
 public:
  MappedFile() = default;
  /// Throws Error{config} if the file is missing, a folder or unreadable; Error{data} if it is
  /// empty; Error{resource} if it cannot be mapped.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cupel

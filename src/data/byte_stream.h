// The bytes of an input file, plain, .gz or .zst, as a stream of bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

namespace cupel {

/// A compressed file may grow to at most kMaxExpansion times what was read of it, plus
/// kFreeExpansionBytes, so that a small file of blanks passes and a bomb does not.
inline constexpr int64_t kMaxExpansion = 200;
inline constexpr int64_t kFreeExpansionBytes = int64_t{8} << 20;

/// Compression goes by the last extension (.gz, .zst). Concatenated gzip members and zstd frames
/// are one stream.
class ByteStream {
 public:
  /// Throws Error{config} for a missing or unreadable file, Error{data} for an empty one.
  explicit ByteStream(const std::filesystem::path& path);
  ~ByteStream();
  ByteStream(ByteStream&&) noexcept;

  /// Fills up to `size` bytes; 0 means the end. Throws Error{data} with the offset in the file
  /// where a compressed stream is cut short or damaged, or grows beyond the limit.
  std::size_t read(char* out, std::size_t size);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel

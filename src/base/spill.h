// Blocks of bytes that outgrow memory: beyond a limit they lie in a scratch file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace cupel {

/// Blocks are written once, read often, and dropped. The file is made when it is first needed and
/// belongs to no folder, so nothing is left behind however the process ends. Safe to use from
/// several threads at once.
class BlockStore {
 public:
  /// The blocks in memory sum to at most `memory_bytes`; `folder` holds the file of the others;
  /// if it is empty, the system's folder for temporary files does.
  BlockStore(int64_t memory_bytes, std::filesystem::path folder);
  ~BlockStore();
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  /// Number of the block, from 0 in the order of calls. Throws as ScratchFile does.
  int64_t put(std::span<const std::byte> bytes);
  /// Fills `out` with the block's bytes from `offset` on, which must be there.
  void read(int64_t block, int64_t offset, std::span<std::byte> out) const;
  /// Gives a block's memory back; room in the file is not used again.
  void drop(int64_t block);

  int64_t spilled_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace cupel

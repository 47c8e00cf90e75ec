// TensorBoard event files: scalars as TFRecords of hand-encoded Event messages.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/atomic_file.h"

namespace cupel {

/// CRC-32C (Castagnoli): 0xE3069283 for "123456789".
uint32_t crc32c(std::string_view bytes);

/// A record is uint64 length, masked CRC of the length, bytes, masked CRC of the bytes, all little
/// endian (TensorFlow, core/lib/io/record_writer); the bytes are an Event (core/util/event.proto).
/// Written here: the version record and one simple_value an event. Left out: histograms, images.
class EventsFile {
 public:
  /// Makes the file, or goes on in it: whatever a crash left incomplete and every event after
  /// `keep_step` is cut off.
  explicit EventsFile(const std::filesystem::path& path, int64_t keep_step = INT64_MAX);

  /// Every half second what was written can be read.
  void scalar(std::string_view tag, int64_t step, double value, double seconds_since_1970);
  void sync();

 private:
  using Clock = std::chrono::steady_clock;
  void append_record(const std::string& event);

  std::unique_ptr<AppendFile> file_;
  Clock::time_point flushed_ = Clock::now();
};

}  // namespace cupel

#include "base/events_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>

#include "base/error.h"

namespace cupel {
namespace {

static_assert(std::endian::native == std::endian::little, "records are little endian");

// Keys of protobuf fields: number << 3 | wire type (0 varint, 1 eight bytes, 2 bytes, 5 four
// bytes).
constexpr char kWallTime = 1 << 3 | 1, kStepField = 2 << 3 | 0, kFileVersion = 3 << 3 | 2;
constexpr char kSummary = 5 << 3 | 2, kSummaryValue = 1 << 3 | 2;
constexpr char kTag = 1 << 3 | 2, kSimpleValue = 2 << 3 | 5;

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82F63B78 : 0);
    table[i] = value;
  }
  return table;
}();

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xA282EAD8; }

template <class T>
std::string raw(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

template <class T>
T from_raw(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string message(char key, std::string_view bytes) {
  return key + varint(bytes.size()) + std::string(bytes);
}

/// The step of an event as scalar() writes it: wall time first, then the step. 0 for the version.
int64_t step_of(std::string_view event) {
  constexpr std::size_t kStepAt = 9;
  if (event.size() <= kStepAt || event[kStepAt] != kStepField) return 0;
  uint64_t step = 0;
  int shift = 0;
  for (std::size_t i = kStepAt + 1; i < event.size() && shift < 64; ++i, shift += 7) {
    step |= uint64_t{static_cast<unsigned char>(event[i]) & 0x7Fu} << shift;
    if ((event[i] & 0x80) == 0) break;
  }
  return static_cast<int64_t>(step);
}

constexpr std::size_t kHead = 12, kTail = 4;

/// The next `size` bytes; fewer at the end of the file.
std::string take(std::istream& file, std::size_t size) {
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

/// The event in the next record if that is whole and undamaged.
std::optional<std::string> next_event(std::istream& file) {
  constexpr uint64_t kLargestEvent = uint64_t{1} << 20;  // far above what scalar() writes
  const std::string head = take(file, kHead);
  if (head.size() < kHead) return std::nullopt;
  const std::string_view length = std::string_view(head).substr(0, 8);
  const auto size = from_raw<uint64_t>(length);
  if (from_raw<uint32_t>(head.substr(8)) != masked_crc(length) || size > kLargestEvent)
    return std::nullopt;
  std::string event = take(file, size);
  const std::string tail = take(file, kTail);
  if (tail.size() < kTail || from_raw<uint32_t>(tail) != masked_crc(event)) return std::nullopt;
  return event;
}

/// Bytes of the whole, undamaged records at the front up to the first past `keep_step`. Read record
/// by record: the file of a long run may be large.
int64_t bytes_to_keep(const std::filesystem::path& path, int64_t keep_step) {
  std::ifstream file(path, std::ios::binary);
  std::size_t kept = 0;
  while (const std::optional<std::string> event = next_event(file)) {
    if (step_of(*event) > keep_step) break;
    kept += kHead + event->size() + kTail;
  }
  if (file.bad())
    fail(ErrorKind::resource, path.string(), "cannot be read",
         "see that its disk is well, and resume");
  return static_cast<int64_t>(kept);
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = 0xFFFFFFFF;
  for (const char byte : bytes)
    crc = crc >> 8 ^ kCrcTable[(crc ^ static_cast<uint8_t>(byte)) & 0xFF];
  return ~crc;
}

EventsFile::EventsFile(const std::filesystem::path& path, int64_t keep_step) {
  int64_t keep = 0;
  if (std::filesystem::exists(path)) keep = bytes_to_keep(path, keep_step);
  file_ = std::make_unique<AppendFile>(path, keep, AppendFile::Unit::byte);
  if (keep == 0) append_record(kWallTime + raw(0.0) + message(kFileVersion, "brain.Event:2"));
}

void EventsFile::scalar(std::string_view tag, int64_t step, double value,
                        double seconds_since_1970) {
  const std::string scalar = message(kTag, tag) + kSimpleValue + raw(static_cast<float>(value));
  append_record(kWallTime + raw(seconds_since_1970) + kStepField +
                varint(static_cast<uint64_t>(step)) +
                message(kSummary, message(kSummaryValue, scalar)));
  constexpr std::chrono::milliseconds kBetweenFlushes{500};  // as metrics.jsonl
  if (Clock::now() - flushed_ < kBetweenFlushes) return;
  file_->flush();
  flushed_ = Clock::now();
}

void EventsFile::sync() { file_->sync(); }

void EventsFile::append_record(const std::string& event) {
  const std::string length = raw(static_cast<uint64_t>(event.size()));
  file_->append(length + raw(masked_crc(length)) + event + raw(masked_crc(event)));
}

}  // namespace cupel

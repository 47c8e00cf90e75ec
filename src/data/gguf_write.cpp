#include "data/gguf_write.h"

#include <algorithm>
#include <bit>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"

namespace cupel {

namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr uint32_t kGgufVersion = 3;

template <class T>
void append_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void append_sized(std::string& out, std::string_view text) {
  append_number<uint64_t>(out, text.size());
  out += text;
}

int64_t aligned(int64_t bytes) {
  return (bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment;
}

/// Name, sizes innermost first, format, place in the data section.
void append_tensor(std::string& out, const GgufOutput& tensor, int64_t offset) {
  append_sized(out, tensor.name);
  append_number(out, static_cast<uint32_t>(tensor.shape.size()));
  for (std::size_t i = tensor.shape.size(); i-- > 0;)
    append_number(out, static_cast<uint64_t>(tensor.shape[i]));
  append_number(out, static_cast<uint32_t>(tensor.type));
  append_number(out, static_cast<uint64_t>(offset));
}

std::string zeros(int64_t count) { return std::string(static_cast<std::size_t>(count), '\0'); }

}  // namespace

void GgufMetadata::boolean(std::string_view key, bool value) {
  begin(key, GgufKind::boolean);
  append(static_cast<uint8_t>(value));
}

void GgufMetadata::text(std::string_view key, std::string_view value) {
  begin(key, GgufKind::text);
  append_text(value);
}

void GgufMetadata::texts(std::string_view key, const std::vector<std::string>& values) {
  begin_array(key, GgufKind::text, values.size());
  for (const std::string& value : values) append_text(value);
}

void GgufMetadata::begin(std::string_view key, GgufKind kind) {
  CUPEL_ASSERT(std::find(keys_.begin(), keys_.end(), key) == keys_.end());
  keys_.emplace_back(key);
  append_text(key);
  append(static_cast<uint32_t>(kind));
}

void GgufMetadata::begin_array(std::string_view key, GgufKind item, std::size_t count) {
  begin(key, GgufKind::array);
  append(static_cast<uint32_t>(item));
  append(static_cast<uint64_t>(count));
}

void GgufMetadata::append_text(std::string_view value) { append_sized(bytes_, value); }

int64_t GgufOutput::bytes() const {
  const GgufBlock& block = gguf_block(type);
  CUPEL_ASSERT(!shape.empty() && shape.size() <= kGgufMaxRank && shape.back() % block.items == 0);
  int64_t count = 1;
  for (const int64_t size : shape) {
    CUPEL_ASSERT(size > 0);
    count *= size;
  }
  return count / block.items * block.bytes;
}

void write_gguf(const std::filesystem::path& path, const GgufMetadata& metadata,
                const std::vector<GgufOutput>& tensors) {
  std::string header = "GGUF";
  append_number(header, kGgufVersion);
  append_number(header, static_cast<uint64_t>(tensors.size()));
  append_number(header, static_cast<uint64_t>(metadata.count()));
  header += metadata.bytes();
  std::set<std::string_view> names;
  int64_t offset = 0;
  for (const GgufOutput& tensor : tensors) {
    CUPEL_ASSERT(names.insert(tensor.name).second);
    append_tensor(header, tensor, offset);
    offset += aligned(tensor.bytes());
  }
  const auto size = static_cast<int64_t>(header.size());
  AtomicFile file(path);
  file.append(header);
  file.append(zeros(aligned(size) - size));
  for (const GgufOutput& tensor : tensors) {
    int64_t written = 0;
    tensor.write([&](std::span<const std::byte> bytes) {
      file.append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
      written += static_cast<int64_t>(bytes.size());
    });
    CUPEL_ASSERT(written == tensor.bytes());
    file.append(zeros(aligned(written) - written));
  }
  file.commit();
}

}  // namespace cupel

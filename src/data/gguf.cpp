#include "data/gguf.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <unordered_set>

#include "base/error.h"
#include "base/text.h"

namespace cupel {

namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr std::string_view kGgufMagic = "GGUF";
constexpr uint64_t kMaxEntries = 100'000;  // of metadata, and tensors
constexpr uint64_t kMaxKeyBytes = 65'535, kMaxNameBytes = 256;
constexpr int64_t kMaxAlignment = int64_t{1} << 20;
constexpr std::size_t kShown = 80;  // characters of a name in a message
constexpr std::string_view kAlignment = "general.alignment";

[[noreturn]] void fail_gguf(std::string_view where, std::string text) {
  fail(ErrorKind::data, std::string(where), std::move(text),
       "the file is damaged or no GGUF; fetch it again");
}

/// Takes bytes from the front of the image; every step is checked against what is left.
class Cursor {
 public:
  Cursor(std::span<const std::byte> image, std::string_view where) : image_(image), where_(where) {}

  std::size_t at() const { return at_; }
  uint64_t left() const { return image_.size() - at_; }

  std::span<const std::byte> take(uint64_t bytes, std::string_view what) {
    if (bytes > left()) {
      fail_gguf(where_, std::string(what) + " of " + std::to_string(bytes) + " bytes at byte " +
                            std::to_string(at_) + ", where " + std::to_string(left()) +
                            " are left: truncated");
    }
    const std::span<const std::byte> taken = image_.subspan(at_, bytes);
    at_ += bytes;
    return taken;
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof value);
    return value;
  }

  std::string_view text(uint64_t most, std::string_view what) {
    const auto size = number<uint64_t>(what);
    if (size > most) {
      fail_gguf(where_, std::string(what) + " of " + std::to_string(size) + " bytes, at most " +
                            std::to_string(most) + " allowed");
    }
    const auto bytes = take(size, what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

 private:
  std::span<const std::byte> image_;
  std::string_view where_;
  std::size_t at_ = 0;
};

GgufKind take_kind(Cursor& cursor, const std::string& here) {
  const auto number = cursor.number<uint32_t>("kind of a value");
  if (number > static_cast<uint32_t>(GgufKind::f64)) {
    fail_gguf(here, "unknown kind " + std::to_string(number));
  }
  return static_cast<GgufKind>(number);
}

/// The payload of a value; for an array, its items one after the other.
GgufValue take_value(Cursor& cursor, std::span<const std::byte> image, const std::string& here) {
  GgufValue value;
  value.kind = value.item = take_kind(cursor, here);
  if (value.kind == GgufKind::array) {
    value.item = take_kind(cursor, here);
    if (value.item == GgufKind::array) fail_gguf(here, "is an array of arrays");
    value.count = cursor.number<uint64_t>("length of an array");
  }
  const std::size_t begin = cursor.at();
  if (const uint64_t each = gguf_kind_bytes(value.item); each > 0) {
    // At most what is left, so the product cannot overflow.
    if (value.count > cursor.left()) {
      fail_gguf(here, "array of " + std::to_string(value.count) + " items in a file with " +
                          std::to_string(cursor.left()) + " bytes left: truncated");
    }
    cursor.take(value.count * each, "value");
  } else {
    for (uint64_t i = 0; i < value.count; ++i) cursor.text(image.size(), "text");
  }
  value.bytes = image.subspan(begin, cursor.at() - begin);
  return value;
}

std::vector<GgufEntry> take_metadata(Cursor& cursor, std::span<const std::byte> image,
                                     uint64_t count, std::string_view where) {
  std::vector<GgufEntry> metadata;
  std::unordered_set<std::string_view> keys;
  for (uint64_t i = 0; i < count; ++i) {
    GgufEntry entry;
    entry.key = cursor.text(kMaxKeyBytes, "key");
    const std::string here = std::string(where) + ": " + clip(entry.key, kShown);
    if (valid_utf8_prefix(entry.key) != entry.key.size()) fail_gguf(here, "key is no UTF-8");
    if (!keys.insert(entry.key).second) fail_gguf(here, "stands twice");
    entry.value = take_value(cursor, image, here);
    metadata.push_back(entry);
  }
  return metadata;
}

/// A tensor before the place of the data section is known.
struct TensorInfo {
  GgufTensor tensor;
  uint64_t offset = 0;  // from the beginning of the data section
};

TensorInfo take_tensor(Cursor& cursor, std::string_view where) {
  TensorInfo info;
  GgufTensor& tensor = info.tensor;
  tensor.name = cursor.text(kMaxNameBytes, "tensor name");
  const std::string here = std::string(where) + ": tensor \"" + clip(tensor.name, kShown) + "\"";
  if (valid_utf8_prefix(tensor.name) != tensor.name.size()) fail_gguf(here, "name is no UTF-8");
  const auto rank = cursor.number<uint32_t>("rank of a tensor");
  if (rank < 1 || rank > kGgufMaxRank) {
    fail_gguf(here, "has " + std::to_string(rank) + " dimensions, 1 to 4 are allowed");
  }
  tensor.count = 1;
  for (uint32_t i = 0; i < rank; ++i) {
    const auto size = cursor.number<uint64_t>("size of a tensor");
    if (size == 0 || size > INT64_MAX ||
        __builtin_mul_overflow(tensor.count, static_cast<int64_t>(size), &tensor.count)) {
      fail_gguf(here, "size " + std::to_string(size) + " makes no tensor");
    }
    tensor.shape.insert(tensor.shape.begin(), static_cast<int64_t>(size));
  }
  const auto number = cursor.number<uint32_t>("format of a tensor");
  const std::optional<GgufType> type = find_gguf_type(number);
  if (!type) {
    fail(ErrorKind::data, here, "has format " + gguf_type_name(number) + ", which is not read",
         "known: " + known_gguf_types());
  }
  tensor.type = *type;
  info.offset = cursor.number<uint64_t>("offset of a tensor");
  const GgufBlock& block = gguf_block(*type);
  if (tensor.shape.back() % block.items != 0) {
    fail_gguf(here, "rows of " + std::to_string(tensor.shape.back()) +
                        " numbers are not whole blocks of " + std::to_string(block.items));
  }
  if (__builtin_mul_overflow(tensor.count / block.items, block.bytes, &tensor.bytes)) {
    fail_gguf(here, "is larger than any file");
  }
  return info;
}

int64_t alignment_of(const std::vector<GgufEntry>& metadata, std::string_view where) {
  for (const GgufEntry& entry : metadata) {
    if (entry.key != kAlignment) continue;
    const std::string here = std::string(where) + ": " + std::string(kAlignment);
    const int64_t alignment = entry.value.as_int(here);
    if (alignment < 1 || alignment > kMaxAlignment || (alignment & (alignment - 1)) != 0) {
      fail_gguf(here, std::to_string(alignment) + " is no power of two up to a megabyte");
    }
    return alignment;
  }
  return kGgufAlignment;
}

/// Gives every tensor its data; tensors must lie in the data section, aligned, without overlap.
std::vector<GgufTensor> place_tensors(std::vector<TensorInfo> infos,
                                      std::span<const std::byte> data, int64_t alignment,
                                      std::string_view where) {
  std::sort(infos.begin(), infos.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.offset < b.offset; });
  uint64_t end = 0;  // of the tensor before
  std::vector<GgufTensor> tensors;
  for (TensorInfo& info : infos) {
    const std::string here =
        std::string(where) + ": tensor \"" + clip(info.tensor.name, kShown) + "\"";
    const auto bytes = static_cast<uint64_t>(info.tensor.bytes);
    if (info.offset % static_cast<uint64_t>(alignment) != 0) {
      fail_gguf(here, "offset " + std::to_string(info.offset) + " is no multiple of " +
                          std::to_string(alignment));
    }
    if (info.offset > data.size() || bytes > data.size() - info.offset) {
      fail_gguf(here, std::to_string(bytes) + " bytes at " + std::to_string(info.offset) +
                          " do not lie in the file's " + std::to_string(data.size()) +
                          " bytes of data");
    }
    if (info.offset < end) fail_gguf(here, "overlaps the tensor before it");
    end = info.offset + bytes;
    info.tensor.data = data.data() + info.offset;
    tensors.push_back(std::move(info.tensor));
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const GgufTensor& a, const GgufTensor& b) { return a.name < b.name; });
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (tensors[i].name == tensors[i - 1].name) {
      fail_gguf(std::string(where) + ": tensor \"" + clip(tensors[i].name, kShown) + "\"",
                "stands twice");
    }
  }
  return tensors;
}

uint32_t take_version(Cursor& cursor, std::string_view where) {
  const auto magic = cursor.take(kGgufMagic.size(), "magic number");
  if (std::memcmp(magic.data(), kGgufMagic.data(), kGgufMagic.size()) != 0) {
    fail_gguf(where, "does not begin with \"GGUF\"");
  }
  const auto version = cursor.number<uint32_t>("version");
  if (version == 2 || version == 3) return version;
  const bool swapped = version != 0 && (version & 0xFFFF) == 0;
  fail(ErrorKind::data, std::string(where),
       swapped ? "is big-endian" : "has version " + std::to_string(version),
       "read are versions 2 and 3, little-endian; convert it with llama.cpp's tools");
}

}  // namespace

GgufContents parse_gguf(std::span<const std::byte> image, std::string_view where) {
  Cursor cursor(image, where);
  GgufContents contents;
  contents.version = take_version(cursor, where);
  const auto tensors = cursor.number<uint64_t>("number of tensors");
  const auto entries = cursor.number<uint64_t>("number of metadata entries");
  if (tensors > kMaxEntries || entries > kMaxEntries) {
    fail_gguf(where, std::to_string(tensors) + " tensors and " + std::to_string(entries) +
                         " metadata entries, at most " + std::to_string(kMaxEntries) +
                         " of each allowed");
  }
  contents.metadata = take_metadata(cursor, image, entries, where);
  const int64_t alignment = alignment_of(contents.metadata, where);
  std::vector<TensorInfo> infos;
  for (uint64_t i = 0; i < tensors; ++i) infos.push_back(take_tensor(cursor, where));
  const uint64_t begin = (cursor.at() + static_cast<uint64_t>(alignment) - 1) /
                         static_cast<uint64_t>(alignment) * static_cast<uint64_t>(alignment);
  const auto data = image.subspan(std::min<uint64_t>(begin, image.size()));
  contents.tensors = place_tensors(std::move(infos), data, alignment, where);
  return contents;
}

bool is_gguf(const std::filesystem::path& path) { return path.extension() == ".gguf"; }

Gguf Gguf::open(const std::filesystem::path& path) {
  Gguf file;
  file.file_ = MappedFile(path);
  file.where_ = path.string();
  file.contents_ = parse_gguf(file.file_.bytes(), file.where_);
  return file;
}

const GgufValue* Gguf::find(std::string_view key) const {
  const auto& all = contents_.metadata;
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const GgufEntry& entry) { return entry.key == key; });
  return at == all.end() ? nullptr : &at->value;
}

const GgufValue& Gguf::at(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) fail_gguf(where_, "missing key \"" + std::string(key) + "\"");
  return *value;
}

const GgufTensor* Gguf::tensor(std::string_view name) const {
  const auto& all = contents_.tensors;
  const auto at = std::lower_bound(
      all.begin(), all.end(), name,
      [](const GgufTensor& tensor, std::string_view wanted) { return tensor.name < wanted; });
  return at != all.end() && at->name == name ? &*at : nullptr;
}

}  // namespace cupel

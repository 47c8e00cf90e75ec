#include "data/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/json.h"

namespace cupel {

namespace {

static_assert(std::endian::native == std::endian::little, "the format is little-endian");

constexpr uint64_t kMaxHeaderBytes = 100'000'000;
constexpr int64_t kMaxIndexBytes = 100'000'000;
constexpr std::size_t kMaxRank = 16;
constexpr std::string_view kMetadata = "__metadata__";

struct DtypeRow {
  std::string_view name;
  int64_t bytes;
};
constexpr std::array<DtypeRow, 15> kDtypes{{{"BOOL", 1},
                                            {"U8", 1},
                                            {"I8", 1},
                                            {"F8_E5M2", 1},
                                            {"F8_E4M3", 1},
                                            {"I16", 2},
                                            {"U16", 2},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I32", 4},
                                            {"U32", 4},
                                            {"F32", 4},
                                            {"F64", 8},
                                            {"I64", 8},
                                            {"U64", 8}}};

std::optional<Dtype> find_dtype(std::string_view name) {
  for (std::size_t i = 0; i < kDtypes.size(); ++i) {
    if (kDtypes[i].name == name) return static_cast<Dtype>(i);
  }
  return std::nullopt;
}

/// Bytes of a tensor of this shape, or nothing if that overflows.
std::optional<int64_t> shape_bytes(const std::vector<int64_t>& shape, Dtype dtype) {
  int64_t bytes = dtype_bytes(dtype);
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  return bytes;
}

[[noreturn]] void fail_safetensors(std::string_view where, std::string text) {
  fail(ErrorKind::data, std::string(where), std::move(text),
       "the file is damaged or not safetensors; fetch or export it again");
}

/// One member of the header. `data` begins after the header and has `size` bytes.
TensorEntry parse_entry(const json::Member& member, const std::byte* data, uint64_t size,
                        std::string_view where) {
  const auto& [name, value] = member;
  const std::string here = std::string(where) + ": tensor \"" + name + "\"";
  TensorEntry entry;
  entry.name = name;
  if (value.as_object(here).size() != 3) {
    fail_safetensors(here, "expected dtype, shape and data_offsets and nothing else");
  }
  const std::string& dtype = value.at("dtype", here).as_string(here + ": dtype");
  const std::optional<Dtype> known = find_dtype(dtype);
  if (!known) fail_safetensors(here, "unknown dtype \"" + dtype + "\"");
  entry.dtype = *known;
  const json::Array& shape = value.at("shape", here).as_array(here + ": shape");
  if (shape.size() > kMaxRank) fail_safetensors(here, "more than 16 dimensions");
  for (const json::Value& item : shape) entry.shape.push_back(item.as_int(here + ": shape"));
  const json::Array& offsets = value.at("data_offsets", here).as_array(here + ": data_offsets");
  if (offsets.size() != 2) fail_safetensors(here, "data_offsets must be two numbers");
  const int64_t begin = offsets[0].as_int(here + ": data_offsets");
  const int64_t end = offsets[1].as_int(here + ": data_offsets");
  if (begin < 0 || end < begin || static_cast<uint64_t>(end) > size) {
    fail_safetensors(here, "bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                               " do not lie in the file's " + std::to_string(size) +
                               " bytes of data");
  }
  const std::optional<int64_t> bytes = shape_bytes(entry.shape, entry.dtype);
  if (!bytes || *bytes != end - begin) {
    fail_safetensors(here, "shape and dtype contradict the " + std::to_string(end - begin) +
                               " bytes that the offsets give");
  }
  entry.data = data + begin;
  entry.bytes = *bytes;
  return entry;
}

/// Entries must tile the data exactly.
void check_no_holes(std::vector<TensorEntry>& entries, const std::byte* data, uint64_t size,
                    std::string_view where) {
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return std::pair(a.data, a.bytes) < std::pair(b.data, b.bytes);
  });
  const std::byte* next = data;
  for (const TensorEntry& entry : entries) {
    if (entry.data != next) {
      fail_safetensors(std::string(where) + ": tensor \"" + entry.name + "\"",
                       entry.data < next ? "overlaps the tensor before it"
                                         : "leaves a hole after the tensor before it");
    }
    next += entry.bytes;
  }
  if (next != data + size) {
    fail_safetensors(where, std::to_string(data + size - next) + " bytes after the last tensor");
  }
}

void append_number(std::string& out, uint64_t value) {
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

/// The header's JSON. Tensors are in their final order.
std::string make_header(const std::vector<TensorEntry>& tensors,
                        const std::map<std::string, std::string>& metadata) {
  json::Object header;
  if (!metadata.empty()) {
    json::Object texts;
    for (const auto& [key, text] : metadata) texts.emplace_back(key, text);
    header.emplace_back(std::string(kMetadata), std::move(texts));
  }
  int64_t offset = 0;
  for (const TensorEntry& tensor : tensors) {
    json::Array shape(tensor.shape.begin(), tensor.shape.end());
    json::Object entry{{"dtype", dtype_name(tensor.dtype)},
                       {"shape", std::move(shape)},
                       {"data_offsets", json::Array{offset, offset + tensor.bytes}}};
    header.emplace_back(tensor.name, std::move(entry));
    offset += tensor.bytes;
  }
  std::string text = json::dump(std::move(header));
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

std::string_view dtype_name(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].name; }

int64_t dtype_bytes(Dtype dtype) { return kDtypes[static_cast<std::size_t>(dtype)].bytes; }

std::vector<TensorEntry> parse_safetensors(std::span<const std::byte> bytes, std::string_view where,
                                           std::map<std::string, std::string>* metadata) {
  uint64_t header_bytes = 0;
  if (bytes.size() < sizeof header_bytes) {
    fail_safetensors(where, "shorter than the 8 bytes that give the header's size");
  }
  std::memcpy(&header_bytes, bytes.data(), sizeof header_bytes);
  const uint64_t rest = bytes.size() - sizeof header_bytes;
  if (header_bytes > kMaxHeaderBytes) {
    fail_safetensors(
        where, "header of " + std::to_string(header_bytes) + " bytes, at most 100 MB allowed");
  }
  if (header_bytes > rest) {
    fail_safetensors(where, "header of " + std::to_string(header_bytes) + " bytes in a file with " +
                                std::to_string(rest) + " left: truncated");
  }
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof header_bytes,
                              header_bytes);
  if (!text.starts_with('{')) fail_safetensors(where, "the header is not a JSON object");
  const json::Value header =
      json::parse(text, std::string(where) + " (header)", {.depth = 4, .bytes = kMaxHeaderBytes});
  const std::byte* data = bytes.data() + sizeof header_bytes + header_bytes;
  const uint64_t size = rest - header_bytes;
  std::vector<TensorEntry> entries;
  for (const json::Member& member : header.as_object(where)) {
    if (member.first != kMetadata) {
      entries.push_back(parse_entry(member, data, size, where));
      continue;
    }
    const std::string here = std::string(where) + ": __metadata__";
    for (const auto& [key, value] : member.second.as_object(here)) {
      const std::string& item = value.as_string(here + ": " + key);
      if (metadata != nullptr) metadata->insert_or_assign(key, item);
    }
  }
  check_no_holes(entries, data, size, where);
  return entries;
}

Safetensors Safetensors::open(const std::filesystem::path& path) {
  Safetensors result;
  if (std::filesystem::is_directory(path)) {
    const std::filesystem::path index = path / "model.safetensors.index.json";
    if (std::filesystem::exists(index)) {
      result.add_shards(index);
    } else if (std::filesystem::exists(path / "model.safetensors")) {
      result.add_file(path / "model.safetensors");
    } else {
      fail(ErrorKind::config, path.string(),
           "folder has neither model.safetensors nor model.safetensors.index.json",
           "a PyTorch .bin or .pt file must first be saved as safetensors");
    }
  } else if (path.extension() == ".json") {
    result.add_shards(path);
  } else {
    result.add_file(path);
  }
  // No name stands twice: a header is JSON, and a shard holds what the index lists for it.
  auto& tensors = result.tensors_;
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
  return result;
}

const TensorEntry* Safetensors::find(std::string_view name) const {
  const auto at = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const TensorEntry& entry, std::string_view wanted) { return entry.name < wanted; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

void Safetensors::add_file(const std::filesystem::path& path) {
  const MappedFile& file = files_.emplace_back(path);
  std::vector<TensorEntry> entries = parse_safetensors(file.bytes(), path.string(), &metadata_);
  std::move(entries.begin(), entries.end(), std::back_inserter(tensors_));
}

void Safetensors::add_shards(const std::filesystem::path& index) {
  const std::string where = index.string();
  const json::Value root = json::parse(read_file(index, kMaxIndexBytes), where);
  const json::Object& map = root.at("weight_map", where).as_object(where + ": weight_map");
  std::map<std::string, std::string> shard_of;
  std::set<std::string> shards;
  for (const auto& [name, value] : map) {
    const std::string& shard = value.as_string(where + ": weight_map: " + name);
    if (shard.empty() || std::filesystem::path(shard).filename() != shard || shard == "..") {
      fail_safetensors(where, "shard \"" + shard + "\" is not a plain file name");
    }
    shard_of.emplace(name, shard);
    shards.insert(shard);
  }
  for (const std::string& shard : shards) {
    const std::size_t before = tensors_.size();
    add_file(index.parent_path() / shard);
    for (std::size_t i = before; i < tensors_.size(); ++i) {
      const auto listed = shard_of.find(tensors_[i].name);
      if (listed == shard_of.end() || listed->second != shard) {
        fail_safetensors(
            where, "tensor \"" + tensors_[i].name + "\" of " + shard + " is not listed there");
      }
      shard_of.erase(listed);
    }
  }
  if (!shard_of.empty()) {
    const auto& [name, shard] = *shard_of.begin();
    fail_safetensors(where, "tensor \"" + name + "\" is listed in " + shard + " and is not there");
  }
}

void write_safetensors(const std::filesystem::path& path, std::vector<TensorEntry> tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return a.dtype != b.dtype ? a.dtype > b.dtype : a.name < b.name;
  });
  std::set<std::string_view> names{kMetadata};
  for (const TensorEntry& tensor : tensors) {
    CUPEL_ASSERT(names.insert(tensor.name).second);
    CUPEL_ASSERT(shape_bytes(tensor.shape, tensor.dtype) == tensor.bytes);
  }
  const std::string header = make_header(tensors, metadata);
  CUPEL_ASSERT(header.size() <= kMaxHeaderBytes);
  AtomicFile file(path);
  std::string length;
  append_number(length, header.size());
  file.append(length);
  file.append(header);
  for (const TensorEntry& tensor : tensors) {
    file.append(
        {reinterpret_cast<const char*>(tensor.data), static_cast<std::size_t>(tensor.bytes)});
  }
  file.commit();
}

}  // namespace cupel

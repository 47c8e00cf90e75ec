// A shard of tokens: what is accepted must lie inside the file and hold ids of its vocabulary.
#include "data/token_shards.h"

#include <cstring>

#include "fuzz/survive.h"

namespace cupel {

void check(std::span<const std::byte> bytes) {
  const TokenShard shard = parse_token_shard(bytes, "fuzz");
  const auto inside = [&](const void* data, std::size_t size) {
    const auto* begin = static_cast<const std::byte*>(data);
    return begin >= bytes.data() && begin + size <= bytes.data() + bytes.size();
  };
  const auto tokens = static_cast<std::size_t>(shard.tokens);
  fuzz::require(inside(shard.ids, tokens * static_cast<std::size_t>(shard.token_bytes)));
  fuzz::require(shard.learned == nullptr || inside(shard.learned, (tokens + 7) / 8));
  fuzz::require(inside(shard.documents.data(), shard.documents.size_bytes()));
  for (const uint32_t document : shard.documents) fuzz::require(document <= tokens);
}

/// The checksum keeps nearly everything out, so a second look has the right one, which the writer
/// leaves in a file of the same tokens.
void check_written(std::span<const std::byte> bytes) {
  TokenShardWriter writer({}, "fuzz", bytes.size() % 2 == 0 ? 256 : 70000,
                          static_cast<int64_t>(32 + bytes.size() % 61));
  std::vector<int32_t> ids;
  std::vector<uint8_t> learned;
  for (std::size_t i = 0; i < bytes.size() && i < 256; ++i) {
    const auto value = static_cast<uint8_t>(bytes[i]);
    if (i == 0 || value % 7 == 0) writer.begin_document();
    const int32_t id = value;
    const uint8_t flag = value % 3 == 0 ? 0 : 1;
    writer.append({&id, 1}, {&flag, 1});
    ids.push_back(id);
    learned.push_back(flag);
  }
  const TokenShards shards = writer.finish();
  fuzz::require(shards.tokens() == static_cast<int64_t>(ids.size()));
  std::vector<int32_t> got(ids.size());
  std::vector<uint8_t> flags(ids.size());
  shards.read_ids(0, got);
  shards.read_learned(0, flags);
  fuzz::require(got == ids && flags == learned);
  for (int64_t i = 0; i < shards.documents(); ++i)
    fuzz::require(shards.document_of(shards.document(i)) >= i);
}

}  // namespace cupel

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size) {
  std::vector<uint64_t> aligned((size + 7) / 8);
  if (size > 0) std::memcpy(aligned.data(), data, size);
  const std::span<const std::byte> bytes(reinterpret_cast<const std::byte*>(aligned.data()), size);
  cupel::fuzz::survive([&] { cupel::check(bytes); });
  cupel::fuzz::survive([&] { cupel::check_written(bytes); });
  return 0;
}

#include "data/token_shards.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <functional>
#include <utility>

#include "base/error.h"

namespace cupel {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::array<char, 8> kShardMagic{'C', 'U', 'P', 'E', 'L', 'T', 'O', 'K'};
constexpr uint32_t kShardVersion = 1;
constexpr int64_t kNarrowVocabulary = 65536;  // what two bytes can tell apart
constexpr std::size_t kCheckedAtOnce = std::size_t{1} << 22;

struct Header {
  std::array<char, 8> magic = kShardMagic;
  uint32_t version = kShardVersion, token_bytes = 2;
  uint64_t vocab_size = 0, capacity = 0, first_token = 0, tokens = 0, documents = 0;
  uint64_t has_bits = 0;
  uint64_t checksum_high = 0, checksum_low = 0;  // of what follows, then of this with both zero
  std::array<char, 48> reserved{};
};
static_assert(sizeof(Header) == 128);

constexpr uint64_t padded(uint64_t bytes) { return (bytes + 7) / 8 * 8; }

std::string_view text_of(const void* data, std::size_t size) {
  return {static_cast<const char*>(data), size};
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return text_of(bytes.data(), bytes.size());
}

[[noreturn]] void refuse(const std::string& where, const std::string& text) {
  fail(ErrorKind::data, where, text, "remove it; the tokens are made again from the data");
}

/// Sizes of the parts, from counts that are not larger than the file.
struct Layout {
  uint64_t ids = 0, bits = 0, begins = 0;
  uint64_t size() const { return sizeof(Header) + ids + bits + begins; }
};

Layout layout_of(const Header& header) {
  return {padded(header.tokens * header.token_bytes),
          header.has_bits == 0 ? 0 : padded((header.tokens + 7) / 8), padded(header.documents * 4)};
}

Header read_header(std::span<const std::byte> bytes, const std::string& where) {
  Header header;
  if (bytes.size() < sizeof header) refuse(where, "is too short for a shard of tokens");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != kShardMagic) refuse(where, "is no shard of tokens");
  if (header.version != kShardVersion) {
    refuse(where, "is of version " + std::to_string(header.version) + ", and this program reads " +
                      std::to_string(kShardVersion));
  }
  const uint64_t wanted = header.vocab_size <= kNarrowVocabulary ? 2 : 4;
  const bool sound = header.vocab_size > 0 && header.vocab_size <= INT32_MAX &&
                     header.token_bytes == wanted && header.has_bits <= 1 &&
                     header.tokens <= bytes.size() && header.documents <= bytes.size() &&
                     header.tokens <= header.capacity &&
                     header.capacity <= static_cast<uint64_t>(kShardTokenBytes) &&
                     header.first_token <= uint64_t{INT64_MAX} / 2;
  if (!sound) refuse(where, "has a damaged header");
  const uint64_t size = layout_of(header).size();
  if (size != bytes.size()) {
    refuse(where, "has " + std::to_string(bytes.size()) + " bytes, and its header tells of " +
                      std::to_string(size) + ": it is cut short or damaged");
  }
  return header;
}

Hash128 checksum(const Hasher128& contents, Header header) {
  header.checksum_high = header.checksum_low = 0;
  const Hash128 inner = contents.value();
  Hasher128 all;
  all.add(text_of(&inner, sizeof inner));
  all.add(text_of(&header, sizeof header));
  return all.value();
}

template <class Id>
bool ids_are_below(std::span<const std::byte> bytes, uint64_t most) {
  uint64_t largest = 0;
  for (std::size_t at = 0; at + sizeof(Id) <= bytes.size(); at += sizeof(Id)) {
    Id id;
    std::memcpy(&id, bytes.data() + at, sizeof id);
    largest = std::max<uint64_t>(largest, id);
  }
  return largest < most;
}

/// Reads all of it once: the checksum, and ids that a model has.
void check_contents(std::span<const std::byte> bytes, const Header& header,
                    const std::string& where,
                    const std::function<void(std::span<const std::byte>)>& done) {
  Hasher128 hash;
  bool below = true;
  const std::size_t ids_end = sizeof header + header.tokens * header.token_bytes;
  for (std::size_t at = sizeof header; at < bytes.size(); at += kCheckedAtOnce) {
    const auto block = bytes.subspan(at, std::min(kCheckedAtOnce, bytes.size() - at));
    hash.add(text_of(block));
    const auto ids = block.first(std::min(block.size(), ids_end > at ? ids_end - at : 0));
    below = below && (header.token_bytes == 2 ? ids_are_below<uint16_t>(ids, header.vocab_size)
                                              : ids_are_below<uint32_t>(ids, header.vocab_size));
    if (done) done(block);
  }
  const Hash128 wanted{header.checksum_high, header.checksum_low};
  if (checksum(hash, header) != wanted) refuse(where, "is damaged: its checksum differs");
  if (!below) refuse(where, "holds a token that its vocabulary does not have");
}

std::string file_name(std::string_view name, int64_t shard) {
  std::string number = std::to_string(shard);
  number.insert(0, number.size() < 5 ? 5 - number.size() : 0, '0');
  return std::string(name) + "-" + number + ".tokens";
}

}  // namespace

TokenShard parse_token_shard(std::span<const std::byte> bytes, const std::string& where,
                             const std::function<void(std::span<const std::byte>)>& done) {
  const Header header = read_header(bytes, where);
  check_contents(bytes, header, where, done);
  const Layout layout = layout_of(header);
  TokenShard shard;
  shard.ids = bytes.data() + sizeof header;
  if (header.has_bits != 0)
    shard.learned = reinterpret_cast<const uint8_t*>(shard.ids + layout.ids);
  shard.documents = {reinterpret_cast<const uint32_t*>(shard.ids + layout.ids + layout.bits),
                     header.documents};
  shard.token_bytes = header.token_bytes;
  shard.vocab_size = static_cast<int64_t>(header.vocab_size);
  shard.first_token = static_cast<int64_t>(header.first_token);
  shard.tokens = static_cast<int64_t>(header.tokens);
  shard.capacity = static_cast<int64_t>(header.capacity);
  if (!std::ranges::is_sorted(shard.documents) ||
      (!shard.documents.empty() && shard.documents.back() > header.tokens))
    refuse(where, "has documents that are out of order");
  return shard;
}

void TokenShards::add(MappedFile file, const std::string& where, bool give_back) {
  auto shared = std::make_shared<const MappedFile>(std::move(file));
  const auto release = [&](std::span<const std::byte> part) { shared->release(part); };
  const TokenShard shard = parse_token_shard(
      shared->bytes(), where,
      give_back ? std::function<void(std::span<const std::byte>)>(release) : nullptr);
  const bool first = shards_.empty();
  const TokenShard& before = first ? shard : shards_.back().shard;
  const bool follows = shard.first_token == tokens_ && shard.vocab_size == before.vocab_size &&
                       shard.capacity == before.capacity &&
                       (first || before.tokens == before.capacity);
  const bool begun = documents_ > 0 || shard.tokens == 0 ||
                     (!shard.documents.empty() && shard.documents.front() == 0);
  if (!follows || !begun) refuse(where, "does not follow the shard before it");
  shards_.push_back({shard, documents_, std::move(shared)});
  tokens_ += shard.tokens;
  documents_ += static_cast<int64_t>(shard.documents.size());
}

TokenShards TokenShards::open(const std::filesystem::path& folder, std::string_view name,
                              int64_t count) {
  TokenShards shards;
  for (int64_t i = 0; i < count; ++i) {
    const std::filesystem::path path = folder / file_name(name, i);
    shards.add(MappedFile(path), path.string(), true);
  }
  return shards;
}

int64_t TokenShards::document(int64_t index) const {
  CUPEL_ASSERT(index >= 0 && index <= documents_);
  if (index == documents_) return tokens_;
  const auto after =
      std::upper_bound(shards_.begin(), shards_.end(), index,
                       [](int64_t i, const Part& part) { return i < part.first_document; });
  const Part& part = *std::prev(after);
  return part.shard.first_token +
         part.shard.documents[static_cast<std::size_t>(index - part.first_document)];
}

int64_t TokenShards::document_of(int64_t token) const {
  if (shards_.empty()) return -1;
  const int64_t last = shards() - 1;
  const auto at = static_cast<std::size_t>(
      std::min(last, token / std::max<int64_t>(1, shards_[0].shard.capacity)));
  const Part& part = shards_[at];
  const auto after = std::ranges::upper_bound(part.shard.documents, token - part.shard.first_token);
  return part.first_document + (after - part.shard.documents.begin()) - 1;
}

/// Calls take(shard, first token in it, place in the whole, count) for the shards of a range.
template <class Take>
void TokenShards::for_each_part(int64_t begin, int64_t count, const Take& take) const {
  CUPEL_ASSERT(begin >= 0 && count >= 0 && begin + count <= tokens_);
  for (int64_t done = 0; done < count;) {
    const int64_t at = begin + done;
    const auto index = static_cast<std::size_t>(at / shards_[0].shard.capacity);
    const TokenShard& shard = shards_[index].shard;
    const int64_t here = at - shard.first_token;
    const int64_t part = std::min(count - done, shard.tokens - here);
    take(shard, static_cast<std::size_t>(here), static_cast<std::size_t>(done),
         static_cast<std::size_t>(part));
    done += part;
  }
}

void TokenShards::read_ids(int64_t begin, std::span<int32_t> out) const {
  const auto take = [&](const TokenShard& shard, std::size_t from, std::size_t to,
                        std::size_t count) {
    if (shard.token_bytes == 2) {
      const auto* ids = reinterpret_cast<const uint16_t*>(shard.ids) + from;
      std::copy_n(ids, count, out.begin() + static_cast<std::ptrdiff_t>(to));
    } else {
      std::memcpy(out.data() + to, shard.ids + from * 4, count * 4);
    }
  };
  for_each_part(begin, static_cast<int64_t>(out.size()), take);
}

void TokenShards::read_learned(int64_t begin, std::span<uint8_t> out) const {
  const auto take = [&](const TokenShard& shard, std::size_t from, std::size_t to,
                        std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = from + i;
      out[to + i] = shard.learned == nullptr
                        ? uint8_t{1}
                        : static_cast<uint8_t>(shard.learned[at / 8] >> (at % 8) & 1);
    }
  };
  for_each_part(begin, static_cast<int64_t>(out.size()), take);
}

TokenShardWriter::TokenShardWriter(std::filesystem::path folder, std::string name,
                                   int64_t vocab_size, int64_t capacity)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      vocab_size_(vocab_size),
      token_bytes_(vocab_size <= kNarrowVocabulary ? 2 : 4),
      capacity_(capacity > 0 ? capacity : kShardTokenBytes / token_bytes_) {
  CUPEL_ASSERT(vocab_size > 0 && capacity_ <= kShardTokenBytes);
}

TokenShardWriter::~TokenShardWriter() = default;

std::filesystem::path TokenShardWriter::path_of(int64_t shard) const {
  return folder_ / file_name(name_, shard);
}

void TokenShardWriter::put(std::string_view bytes) {
  if (!file_) {
    file_ = std::make_unique<ScratchFile>(folder_);
    hash_ = std::make_unique<Hasher128>();
    const Header place;
    file_->append(text_of(&place, sizeof place));
  }
  hash_->add(bytes);
  file_->append(bytes);
}

void TokenShardWriter::begin_document() {
  if (tokens_ == capacity_) close_shard();
  begins_.push_back(static_cast<uint32_t>(tokens_));
  ++documents_;
}

void TokenShardWriter::append(std::span<const int32_t> ids, std::span<const uint8_t> learned) {
  CUPEL_ASSERT(ids.size() == learned.size() && documents_ > 0);
  while (!ids.empty()) {
    if (tokens_ == capacity_) close_shard();
    const std::size_t count = std::min(ids.size(), static_cast<std::size_t>(capacity_ - tokens_));
    append_here(ids.first(count), learned.first(count));
    ids = ids.subspan(count);
    learned = learned.subspan(count);
  }
}

void TokenShardWriter::append_here(std::span<const int32_t> ids, std::span<const uint8_t> learned) {
  bytes_.resize(ids.size() * static_cast<std::size_t>(token_bytes_));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    CUPEL_ASSERT(ids[i] >= 0 && ids[i] < vocab_size_);
    const auto at = static_cast<std::size_t>(tokens_) + i;
    if (at % 8 == 0) bits_.push_back(0);
    if (learned[i] != 0) {
      bits_.back() = static_cast<uint8_t>(bits_.back() | 1 << (at % 8));
    } else {
      all_learned_ = false;
    }
    if (token_bytes_ == 2) {
      const auto id = static_cast<uint16_t>(ids[i]);
      std::memcpy(bytes_.data() + 2 * i, &id, 2);
    }
  }
  if (token_bytes_ == 4) std::memcpy(bytes_.data(), ids.data(), bytes_.size());
  put(bytes_);
  tokens_ += static_cast<int64_t>(ids.size());
}

void TokenShardWriter::close_shard() {
  const auto pad = [&](std::size_t bytes) { put(std::string(padded(bytes) - bytes, '\0')); };
  pad(static_cast<std::size_t>(tokens_ * token_bytes_));
  if (!all_learned_) {
    put(text_of(bits_.data(), bits_.size()));
    pad(bits_.size());
  }
  put(text_of(begins_.data(), begins_.size() * 4));
  pad(begins_.size() * 4);
  Header header;
  header.token_bytes = static_cast<uint32_t>(token_bytes_);
  header.vocab_size = static_cast<uint64_t>(vocab_size_);
  header.capacity = static_cast<uint64_t>(capacity_);
  header.first_token = static_cast<uint64_t>(first_token_);
  header.tokens = static_cast<uint64_t>(tokens_);
  header.documents = begins_.size();
  header.has_bits = all_learned_ ? 0 : 1;
  const Hash128 sum = checksum(*hash_, header);
  header.checksum_high = sum.high;
  header.checksum_low = sum.low;
  file_->write(0, text_of(&header, sizeof header));
  const std::filesystem::path path = path_of(written_.shards());
  if (!folder_.empty()) {
    file_->link_to(path);
    using enum std::filesystem::perms;  // others may share what was nobody's business before
    std::error_code ignored;
    std::filesystem::permissions(path, owner_read | owner_write | group_read | others_read,
                                 ignored);
  }
  written_.add(MappedFile(*file_), path.string(), true);
  file_.reset();
  first_token_ += tokens_;
  tokens_ = 0;
  all_learned_ = true;
  bits_.clear();
  begins_.clear();
}

TokenShards TokenShardWriter::finish() {
  if (!begins_.empty() || tokens_ > 0) close_shard();
  return std::move(written_);
}

}  // namespace cupel

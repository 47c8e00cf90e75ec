// Tokens of documents in files that are mapped into memory: written once, read by index.
//
// A shard is a file of little-endian numbers: a header of 128 bytes (magic, version, bytes a token,
// counts, checksum), the tokens (2 bytes each where the vocabulary has at most 65,536, else 4), a
// bit a token that says whether it is learned (left out where all are), and for each document that
// begins in it where it does (4 bytes). Each part is padded to 8 bytes. Every shard of a stream but
// the last holds the same number of tokens, so the shard of a token is a division; a document may
// go on in the next shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/scratch_file.h"
#include "data/mapped_file.h"

namespace cupel {

/// The most bytes of tokens in a shard; the file has 1/16 more for the bits of 2-byte tokens, and 4
/// bytes a document.
inline constexpr int64_t kShardTokenBytes = INT64_C(1) << 27;

/// One shard, checked.
struct TokenShard {
  const std::byte* ids = nullptr;         // token_bytes each
  const uint8_t* learned = nullptr;       // a bit a token, lowest first; null: all are learned
  std::span<const uint32_t> documents{};  // begins, in tokens of this shard, ascending
  int64_t token_bytes = 2, vocab_size = 0;
  int64_t first_token = 0, tokens = 0;  // place in the stream, number
  int64_t capacity = 0;                 // tokens of every shard but the last
};

/// `bytes` are a whole file and must outlive the result; they begin at a multiple of 8. Sizes are
/// checked before anything is read, then the checksum, the order of documents and every id. `done`,
/// if not empty, is called with each part of the file that has been checked. Throws Error{data},
/// which begins with `where`, for what is no shard, one of another version, cut short or damaged.
TokenShard parse_token_shard(std::span<const std::byte> bytes, const std::string& where,
                             const std::function<void(std::span<const std::byte>)>& done = {});

/// A stream of documents in shards, in order; a copy shares them. What is read may come from any
/// place at any time, on several threads.
class TokenShards {
 public:
  TokenShards() = default;  // no document
  /// `name`-00000.tokens and so on in `folder`, `count` of them, each checked. Throws as
  /// parse_token_shard and MappedFile do, and Error{data} for shards that do not go together.
  static TokenShards open(const std::filesystem::path& folder, std::string_view name,
                          int64_t count);

  int64_t tokens() const { return tokens_; }
  int64_t documents() const { return documents_; }
  int64_t shards() const { return static_cast<int64_t>(shards_.size()); }
  int64_t vocab_size() const { return shards_.empty() ? 0 : shards_.front().shard.vocab_size; }
  /// Where a document begins, ascending; that of the one behind the last is tokens().
  int64_t document(int64_t index) const;
  /// The last document that begins at `token` or before it; -1 if there is none.
  int64_t document_of(int64_t token) const;
  /// Fills `out` with the tokens from `begin` on, and whether each is learned (0 or 1).
  void read_ids(int64_t begin, std::span<int32_t> out) const;
  void read_learned(int64_t begin, std::span<uint8_t> out) const;

 private:
  friend class TokenShardWriter;
  struct Part {
    TokenShard shard;
    int64_t first_document = 0;
    std::shared_ptr<const MappedFile> file{};
  };
  void add(MappedFile file, const std::string& where, bool give_back);
  template <class Take>
  void for_each_part(int64_t begin, int64_t count, const Take& take) const;

  std::vector<Part> shards_;
  int64_t tokens_ = 0, documents_ = 0;
};

/// Writes a stream, in memory that does not grow with it.
class TokenShardWriter {
 public:
  /// Into files `name`-00000.tokens and so on in `folder`, which have their names when finish()
  /// returns; without a folder into files without a name. `capacity`: tokens a shard, 0 for
  /// kShardTokenBytes of them. Throws as ScratchFile does.
  TokenShardWriter(std::filesystem::path folder, std::string name, int64_t vocab_size,
                   int64_t capacity = 0);
  ~TokenShardWriter();

  void begin_document();
  /// Tokens of the document that was begun last, with a flag each. Ids are in 0 to vocab_size - 1.
  void append(std::span<const int32_t> ids, std::span<const uint8_t> learned);
  int64_t tokens() const { return first_token_ + tokens_; }
  int64_t documents() const { return documents_; }

  /// What was written, once.
  TokenShards finish();

 private:
  void append_here(std::span<const int32_t> ids, std::span<const uint8_t> learned);
  void put(std::string_view bytes);
  void close_shard();
  std::filesystem::path path_of(int64_t shard) const;

  std::filesystem::path folder_;
  std::string name_;
  int64_t vocab_size_, token_bytes_, capacity_;
  int64_t first_token_ = 0, tokens_ = 0, documents_ = 0;  // of the shard; of all
  bool all_learned_ = true;
  std::vector<uint8_t> bits_;
  std::vector<uint32_t> begins_;
  std::string bytes_;  // of the tokens in the making
  std::unique_ptr<ScratchFile> file_;
  std::unique_ptr<Hasher128> hash_;
  TokenShards written_;
};

}  // namespace cupel

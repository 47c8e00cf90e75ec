// Fixed-length sequences from streams of tokens: a pure function of random seed and index.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/run.h"
#include "data/token_shards.h"

namespace cupel::train {

/// A document, and which of its tokens are learned (not 0).
struct MaskedTokens {
  std::vector<int32_t> ids;
  std::vector<uint8_t> learned;
};

void append_document(TokenShardWriter& stream, const MaskedTokens& document);

/// How a stream is cut. windows: every `length` tokens, wherever documents end, shifted by a random
/// offset each epoch (running text). packed: whole documents, as many as fit. single: one document
/// a sequence.
enum class Cut { windows, packed, single };

/// Part of a stream: the tokens that are read. The labels stand one further.
struct Sequence {
  std::size_t stream = 0;
  int64_t begin = 0, length = 0;
  bool operator==(const Sequence&) const = default;
};

/// Documents of one data set, one after the other.
struct Source {
  TokenShards stream;
  Cut cut = Cut::windows;
  // An epoch takes weight times its sequences (a random part, or repeats), at least one; 0: none.
  double weight = 1;
};

/// Rows of token ids, padded to one length. labels -100 do not count; a row may attend to its own
/// document only.
struct SequenceBatch {
  int64_t rows = 0, length = 0;
  std::vector<int64_t> inputs, labels;  // rows x length
  std::vector<int32_t> first,
      positions;  // rows x length: where a token's document begins; place inside it
  std::vector<int64_t> row_lengths;  // tokens of each row, without padding
  int64_t labels_counted = 0;
};

/// In an epoch; what is kept of it takes 24 bytes each.
constexpr int64_t kMostSequences = 100'000'000;

/// The order in which training reads: every epoch a fresh permutation of all sources' sequences.
class SequenceOrder {
 public:
  /// Throws Error{data} if no source has a full sequence, Error{config} if weights make an epoch of
  /// more than kMostSequences.
  SequenceOrder(std::vector<Source> sources, int64_t length, const Run& run);

  int64_t sequences_per_epoch() const { return per_epoch_; }
  /// `rows` sequences from position `index` (counted over all epochs) on.
  SequenceBatch batch(int64_t index, int64_t rows);

 private:
  void load_epoch(int64_t epoch);
  void take(std::size_t source, std::vector<Sequence> all, std::size_t whole, Rng& rng);

  std::vector<Source> sources_;
  int64_t length_;
  const Run& run_;
  int64_t per_epoch_ = 0;
  int64_t epoch_ = -1;
  std::vector<Sequence> order_;
};

/// Sequences of a stream, which is source `index`; `offset` shifts windows, in tokens. Documents
/// longer than `length` are cut into several sequences under windows and left out under packed and
/// single.
std::vector<Sequence> cut_stream(const TokenShards& stream, std::size_t index, Cut cut,
                                 int64_t length, int64_t offset);

/// A row each sequence, padded to `length`; a sequence names its source by Sequence::stream. A
/// label is the token behind an input, if that is learned and of the same document.
SequenceBatch make_batch(std::span<const Sequence> sequences, std::span<const Source> sources,
                         int64_t length);

}  // namespace cupel::train

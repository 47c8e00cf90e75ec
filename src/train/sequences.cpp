#include "train/sequences.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace cupel::train {
namespace {

constexpr int64_t kNoLabel = -100;

std::vector<Sequence> cut_windows(const TokenShards& stream, std::size_t index, int64_t length,
                                  int64_t offset) {
  std::vector<Sequence> sequences;
  for (int64_t begin = offset; begin + length < stream.tokens(); begin += length) {
    sequences.push_back({index, begin, length});
  }
  return sequences;
}

std::vector<Sequence> cut_documents(const TokenShards& stream, std::size_t index, Cut cut,
                                    int64_t length) {
  std::vector<Sequence> sequences;
  for (int64_t i = 0, begin = 0, size = 0; i < stream.documents(); ++i, begin += size) {
    size = stream.document(i + 1) - begin;
    if (size > length) continue;
    const bool follows =
        !sequences.empty() && sequences.back().begin + sequences.back().length == begin;
    if (cut == Cut::packed && follows && sequences.back().length + size <= length) {
      sequences.back().length += size;
    } else {
      sequences.push_back({index, begin, size});
    }
  }
  return sequences;
}

void fill_row(SequenceBatch& batch, int64_t row, const Sequence& sequence,
              const TokenShards& stream) {
  const int64_t base = row * batch.length;
  // The label of the last input stands behind it.
  const int64_t read = std::min(sequence.length + 1, stream.tokens() - sequence.begin);
  std::vector<int32_t> ids(static_cast<std::size_t>(read));
  std::vector<uint8_t> learned(ids.size());
  stream.read_ids(sequence.begin, ids);
  stream.read_learned(sequence.begin, learned);
  int64_t document = stream.document_of(sequence.begin);
  int64_t end = stream.document(document + 1);
  int64_t first = 0;  // of the current document, inside the row
  for (int64_t i = 0; i < batch.length; ++i) {
    const auto at = static_cast<std::size_t>(base + i);
    const int64_t token = sequence.begin + i;
    if (i >= sequence.length) {  // padding: every pad token attends to itself
      batch.first[at] = static_cast<int32_t>(i);
      continue;
    }
    while (token == end) {  // past empty ones too
      end = stream.document(++document + 1);
      first = i;
    }
    batch.inputs[at] = ids[static_cast<std::size_t>(i)];
    batch.first[at] = static_cast<int32_t>(first);
    batch.positions[at] = static_cast<int32_t>(i - first);
    const auto next = static_cast<std::size_t>(i + 1);
    if (token + 1 < end && learned[next] != 0) {
      batch.labels[at] = ids[next];
      ++batch.labels_counted;
    }
  }
}

}  // namespace

void append_document(TokenShardWriter& stream, const MaskedTokens& document) {
  stream.begin_document();
  stream.append(document.ids, document.learned);
}

std::vector<Sequence> cut_stream(const TokenShards& stream, std::size_t index, Cut cut,
                                 int64_t length, int64_t offset) {
  return cut == Cut::windows ? cut_windows(stream, index, length, offset)
                             : cut_documents(stream, index, cut, length);
}

SequenceBatch make_batch(std::span<const Sequence> sequences, std::span<const Source> sources,
                         int64_t length) {
  SequenceBatch batch;
  batch.rows = static_cast<int64_t>(sequences.size());
  batch.length = length;
  const std::size_t size = sequences.size() * static_cast<std::size_t>(length);
  batch.inputs.assign(size, 0);
  batch.labels.assign(size, kNoLabel);
  batch.first.assign(size, 0);
  batch.positions.assign(size, 0);
  for (std::size_t row = 0; row < sequences.size(); ++row) {
    batch.row_lengths.push_back(sequences[row].length);
    fill_row(batch, static_cast<int64_t>(row), sequences[row],
             sources[sequences[row].stream].stream);
  }
  return batch;
}

SequenceOrder::SequenceOrder(std::vector<Source> sources, int64_t length, const Run& run)
    : sources_(std::move(sources)), length_(length), run_(run) {
  load_epoch(0);
  if (order_.empty()) {
    fail(ErrorKind::data, "[train]",
         "no data set fills one sequence of " + std::to_string(length) + " tokens",
         "lower sequence_len");
  }
  per_epoch_ = static_cast<int64_t>(order_.size());
}

/// Appends weight times `whole` sequences drawn from `all`.
void SequenceOrder::take(std::size_t source, std::vector<Sequence> all, std::size_t whole,
                         Rng& rng) {
  const double weight = sources_[source].weight;
  if (all.empty() || weight == 0) return;
  const double wanted = std::max(1.0, std::round(weight * static_cast<double>(whole)));
  const double room = static_cast<double>(kMostSequences) - static_cast<double>(order_.size());
  if (wanted > room) {
    fail(ErrorKind::config, "[train.datasets[" + std::to_string(source) + "].weight]",
         "makes an epoch of more than " + std::to_string(kMostSequences) + " sequences",
         "lower it; num_epochs and max_steps repeat the data");
  }
  for (auto left = static_cast<std::size_t>(wanted); left > 0;) {
    rng.shuffle(all);
    const std::size_t count = std::min({all.size(), whole, left});
    order_.insert(order_.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    left -= count;
  }
}

void SequenceOrder::load_epoch(int64_t epoch) {
  order_.clear();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    Rng rng =
        run_.stream("sequence order of source " + std::to_string(i), static_cast<uint64_t>(epoch));
    // The largest offset that leaves a window; every epoch has as many windows as one shifted by
    // it.
    const auto last = source.stream.tokens() - length_ - 1;
    const int64_t most = std::clamp<int64_t>(last, 0, length_ - 1);
    const auto offset = static_cast<int64_t>(rng.below(static_cast<uint64_t>(most + 1)));
    const std::size_t whole = cut_stream(source.stream, i, source.cut, length_, most).size();
    take(i, cut_stream(source.stream, i, source.cut, length_, offset), whole, rng);
  }
  Rng rng = run_.stream("order of sequences", static_cast<uint64_t>(epoch));
  rng.shuffle(order_);
  epoch_ = epoch;
}

SequenceBatch SequenceOrder::batch(int64_t index, int64_t rows) {
  std::vector<Sequence> sequences;
  for (int64_t i = index; i < index + rows; ++i) {
    if (i / per_epoch_ != epoch_) load_epoch(i / per_epoch_);
    sequences.push_back(order_[static_cast<std::size_t>(i % per_epoch_)]);
  }
  return make_batch(sequences, sources_, length_);
}

}  // namespace cupel::train

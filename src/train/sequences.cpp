#include "train/sequences.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace cupel::train {
namespace {

constexpr int64_t kNoLabel = -100;

int64_t document_end(const TokenStream& stream, std::size_t document) {
  return document + 1 < stream.documents.size() ? stream.documents[document + 1]
                                                : static_cast<int64_t>(stream.ids.size());
}

std::vector<Sequence> cut_windows(const TokenStream& stream, std::size_t index, int64_t length,
                                  int64_t offset) {
  std::vector<Sequence> sequences;
  const auto size = static_cast<int64_t>(stream.ids.size());
  for (int64_t begin = offset; begin + length < size; begin += length) {
    sequences.push_back({index, begin, length});
  }
  return sequences;
}

std::vector<Sequence> cut_documents(const TokenStream& stream, std::size_t index, Cut cut,
                                    int64_t length) {
  std::vector<Sequence> sequences;
  for (std::size_t i = 0; i < stream.documents.size(); ++i) {
    const int64_t begin = stream.documents[i];
    const int64_t size = document_end(stream, i) - begin;
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

/// Position in the documents' list of the document that holds token `token`.
std::size_t document_of(const TokenStream& stream, int64_t token) {
  const auto after = std::upper_bound(stream.documents.begin(), stream.documents.end(), token);
  return static_cast<std::size_t>(after - stream.documents.begin()) - 1;
}

void fill_row(SequenceBatch& batch, int64_t row, const Sequence& sequence,
              const TokenStream& stream) {
  const int64_t base = row * batch.length;
  std::size_t document = document_of(stream, sequence.begin);
  int64_t first = 0;  // of the current document, inside the row
  for (int64_t i = 0; i < batch.length; ++i) {
    const auto at = static_cast<std::size_t>(base + i);
    const int64_t token = sequence.begin + i;
    if (i >= sequence.length) {  // padding: every pad token attends to itself
      batch.first[at] = static_cast<int32_t>(i);
      continue;
    }
    while (token == document_end(stream, document)) {  // past empty ones too
      ++document;
      first = i;
    }
    batch.inputs[at] = stream.ids[static_cast<std::size_t>(token)];
    batch.first[at] = static_cast<int32_t>(first);
    batch.positions[at] = static_cast<int32_t>(i - first);
    const int64_t next = token + 1;
    if (next < document_end(stream, document) &&
        stream.learned[static_cast<std::size_t>(next)] != 0) {
      batch.labels[at] = stream.ids[static_cast<std::size_t>(next)];
      ++batch.labels_counted;
    }
  }
}

}  // namespace

void append_document(TokenStream& stream, std::span<const int32_t> context,
                     std::span<const int32_t> target) {
  stream.documents.push_back(static_cast<int64_t>(stream.ids.size()));
  stream.ids.insert(stream.ids.end(), context.begin(), context.end());
  stream.ids.insert(stream.ids.end(), target.begin(), target.end());
  stream.learned.insert(stream.learned.end(), context.size(), 0);
  stream.learned.insert(stream.learned.end(), target.size(), 1);
}

void append_document(TokenStream& stream, const MaskedTokens& document) {
  stream.documents.push_back(static_cast<int64_t>(stream.ids.size()));
  stream.ids.insert(stream.ids.end(), document.ids.begin(), document.ids.end());
  stream.learned.insert(stream.learned.end(), document.learned.begin(), document.learned.end());
}

std::vector<Sequence> cut_stream(const TokenStream& stream, std::size_t index, Cut cut,
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
    const auto last = static_cast<int64_t>(source.stream.ids.size()) - length_ - 1;
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

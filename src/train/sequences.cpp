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
    if (token == document_end(stream, document)) {
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

std::vector<Sequence> cut_stream(const TokenStream& stream, std::size_t index, Cut cut,
                                 int64_t length, int64_t offset) {
  return cut == Cut::windows ? cut_windows(stream, index, length, offset)
                             : cut_documents(stream, index, cut, length);
}

int64_t documents_too_long(const TokenStream& stream, int64_t length) {
  int64_t count = 0;
  for (std::size_t i = 0; i < stream.documents.size(); ++i) {
    count += document_end(stream, i) - stream.documents[i] > length;
  }
  return count;
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

void SequenceOrder::load_epoch(int64_t epoch) {
  order_.clear();
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const Source& source = sources_[i];
    Rng rng =
        run_.stream("sequence order of source " + std::to_string(i), static_cast<uint64_t>(epoch));
    // Every epoch has as many windows as one shifted by the largest offset.
    const auto offset = static_cast<int64_t>(rng.below(static_cast<uint64_t>(length_)));
    const std::size_t whole = cut_stream(source.stream, i, source.cut, length_, length_ - 1).size();
    std::vector<Sequence> all = cut_stream(source.stream, i, source.cut, length_, offset);
    if (all.empty()) continue;
    const auto wanted =
        static_cast<std::size_t>(std::llround(source.weight * static_cast<double>(whole)));
    std::vector<Sequence> taken;
    while (taken.size() < wanted) {
      rng.shuffle(all);
      const std::size_t count = std::min({all.size(), whole, wanted - taken.size()});
      taken.insert(taken.end(), all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    }
    order_.insert(order_.end(), taken.begin(), taken.end());
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

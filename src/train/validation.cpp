#include "train/validation.h"

#include <algorithm>
#include <span>
#include <utility>

namespace cupel::train {
namespace {

double bytes_per_label(const Validation& validation, const Tokenizer& tokenizer) {
  double bytes = 0, labels = 0;
  for (std::size_t i = 0; i < validation.batches(); ++i) {
    const SequenceBatch batch = validation.batch(i);
    labels += static_cast<double>(batch.labels_counted);
    for (const int64_t label : batch.labels) {
      const auto id = static_cast<int32_t>(label);
      // The end-of-text token is a label of no text.
      if (id >= 0 && !tokenizer.is_special(id))
        bytes += static_cast<double>(tokenizer.token_bytes(id).size());
    }
  }
  return labels > 0 ? bytes / labels : 0;
}

}  // namespace

std::size_t Validation::batches() const {
  const auto each = static_cast<std::size_t>(rows);
  return (sequences.size() + each - 1) / each;
}

SequenceBatch Validation::batch(std::size_t index) const {
  const std::size_t begin = index * static_cast<std::size_t>(rows);
  const std::size_t count = std::min(static_cast<std::size_t>(rows), sequences.size() - begin);
  return make_batch(std::span(sequences).subspan(begin, count), sources, length);
}

Validation make_validation(const Config& config, std::vector<Source> sources,
                           const Tokenizer& tokenizer) {
  Validation validation{std::move(sources), {}, config.micro_batch_size, config.sequence_len};
  for (std::size_t i = 0; i < validation.sources.size(); ++i) {
    const auto& [stream, cut, weight] = validation.sources[i];
    // A held-out text shorter than a sequence is still weighed.
    const int64_t length = std::min(config.sequence_len, stream.tokens() - 1);
    if (length < 1) continue;
    const std::vector<Sequence> part =
        cut_stream(stream, i, cut, cut == Cut::windows ? length : config.sequence_len, 0);
    validation.sequences.insert(validation.sequences.end(), part.begin(), part.end());
  }
  validation.bytes_per_label = bytes_per_label(validation, tokenizer);
  return validation;
}

}  // namespace cupel::train

// Held-out sequences in micro-batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "data/tokenizer/tokenizer.h"
#include "train/sequences.h"
#include "train/train.h"

namespace cupel::train {

/// Batches are made when they are asked for.
struct Validation {
  std::vector<Source> sources;
  std::vector<Sequence> sequences;
  int64_t rows = 1, length = 0;  // of a batch
  double bytes_per_label = 0;    // of the text that a label stands for

  std::size_t batches() const;
  SequenceBatch batch(std::size_t index) const;
};

/// All sequences of `sources`, in order; a text shorter than a sequence is one of them.
Validation make_validation(const Config& config, std::vector<Source> sources,
                           const Tokenizer& tokenizer);

}  // namespace cupel::train

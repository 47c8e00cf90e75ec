// Data sets of a recipe → token streams for training and validation.
#pragma once

#include <string>
#include <vector>

#include "base/run.h"
#include "data/tokenizer/tokenizer.h"
#include "train/sequences.h"
#include "train/train.h"

namespace cupel::train {

/// A document before tokens: what is read but not learned, and what is learned.
struct Text {
  std::string context, target;
  int64_t line = 0;  // in the set's input, from 1
};

/// One data set, split. Running text: the last val_set_size of it, a single document being cut at a
/// line end; rows: those whose hash falls into the share, so that a row never changes sides.
struct TextSet {
  std::vector<Text> train, validation;
  std::string input;  // the file, as rejects name it
  Cut cut = Cut::windows;
  double weight = 1;
};

/// Reads every data set; rows that cannot be read go to rejects.jsonl. Throws Error{data} for a set
/// without a single good row, Error{config} for a missing file, Interrupted when asked to stop.
std::vector<TextSet> load_texts(const Config& config, Run& run);

/// The tokenizer of the recipe: read, else base_model's, else trained on the training texts. Throws
/// Interrupted when asked to stop, as tokenize does.
Tokenizer make_tokenizer(const Config& config, const std::vector<TextSet>& texts, Run& run);

struct Dataset {
  std::vector<Source> train;
  std::vector<Source> validation;
};

/// Texts → tokens, each document behind the tokenizer's prefix and closed by the end-of-text token,
/// if it has one. Rows longer than sequence_len and texts without a label go to rejects.jsonl.
Dataset tokenize(const Config& config, const std::vector<TextSet>& texts,
                 const Tokenizer& tokenizer, Run& run);

}  // namespace cupel::train

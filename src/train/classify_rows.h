// Data sets of a recipe → rows of tokens with a class, and the order in which training reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "data/tokenizer/tokenizer.h"
#include "nn/classified_rows.h"
#include "train/classify.h"

namespace cupel::train {

struct ClassifiedRows {
  std::vector<std::string> labels;  // by class
  std::vector<nn::RowSet> train;
  std::vector<nn::ClassifiedRow> validation;
};

/// Reads every data set and holds out the rows whose text's hash falls into val_set_size, so that
/// equal texts stay on one side. Classes are `known`, where that holds every label of the data,
/// else the labels of the data, sorted. Tokens stand between what the tokenizer puts around a text;
/// rows longer than sequence_len go by excess_length_strategy; rows that are lost go to
/// rejects.jsonl. Warns of classes with fewer than two rows. Throws Error{data} for a longer row
/// where nothing is chosen, a set without a row to train on, fewer than two classes; Interrupted
/// when asked to stop.
ClassifiedRows load_classified(const Config& config, const Tokenizer& tokenizer,
                               const std::optional<std::vector<std::string>>& known, Run& run);

/// What is made of a recipe before the loop begins.
struct ClassifyData {
  Tokenizer tokenizer;
  std::unique_ptr<ClassifiedRows> rows;  // where `order` looks
  std::unique_ptr<nn::RowOrder> order;
  nn::ClassifierConfig model;
  bool with_head = false;  // that of base_model knows these classes
};

/// Throws what load_classified() and resolve_classifier() throw.
ClassifyData read_classify(const Config& config, Run& run);

}  // namespace cupel::train

// Data sets of a recipe → rows of tokens with a class, and the order in which training reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/run.h"
#include "data/tokenizer/tokenizer.h"
#include "train/classify.h"

namespace cupel::train {

struct ClassifiedRow {
  std::vector<int32_t> ids;  // one at least
  int64_t label = 0;         // class
};

/// One data set's rows to learn from.
struct RowSet {
  std::vector<ClassifiedRow> rows;
  double weight = 1;
};

struct ClassifiedRows {
  std::vector<std::string> labels;  // by class
  std::vector<RowSet> train;
  std::vector<ClassifiedRow> validation;
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

/// Tokens of the longest.
int64_t padded_length(const std::vector<const ClassifiedRow*>& rows);

/// Batches of rows of about the same length: each epoch a fresh permutation of all sets' rows, in
/// which rows change places within kTogether batches; then the batches are shuffled. The batch
/// with the longest row is the first of the run, so that what memory it needs shows at once.
class RowOrder {
 public:
  static constexpr int64_t kTogether = 50;

  /// `sets` and `run` must outlive it. Throws Error{config} if weights make an epoch of more than
  /// kMostRows rows.
  RowOrder(const std::vector<RowSet>& sets, int64_t rows_a_batch, const Run& run);

  int64_t batches_per_epoch() const { return batches_; }
  /// What the first epoch says about all of them.
  BatchSizes sizes() const;
  /// Batch `index` of the run, of rows_a_batch rows; the last rows of an epoch may be fewer.
  std::vector<const ClassifiedRow*> batch(int64_t index);

 private:
  void load_epoch(int64_t epoch);
  void take(std::size_t set, Rng& rng, std::vector<const ClassifiedRow*>& order) const;

  const std::vector<RowSet>& sets_;
  std::size_t rows_a_batch_;
  const Run& run_;
  int64_t batches_ = 0, epoch_ = -1;
  std::vector<std::vector<const ClassifiedRow*>> epoch_batches_;
};

/// Rows of an epoch, weights counted.
constexpr double kMostRows = 1e8;

/// What is made of a recipe before the loop begins.
struct ClassifyData {
  Tokenizer tokenizer;
  std::unique_ptr<ClassifiedRows> rows;  // where `order` looks
  std::unique_ptr<RowOrder> order;
  nn::ClassifierConfig model;
  bool with_head = false;  // that of base_model knows these classes
};

/// Throws what load_classified() and resolve_classifier() throw.
ClassifyData read_classify(const Config& config, Run& run);

}  // namespace cupel::train

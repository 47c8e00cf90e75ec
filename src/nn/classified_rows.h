// Rows of tokens with a class, and the order in which training reads them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/run.h"

namespace cupel::nn {

struct ClassifiedRow {
  std::vector<int32_t> ids;  // one at least
  int64_t label = 0;         // class
};

/// One data set's rows to learn from.
struct RowSet {
  std::vector<ClassifiedRow> rows;
  double weight = 1;
};

/// Micro-batches of a pass over the rows, and the largest of them with its padding.
struct BatchSizes {
  int64_t per_epoch = 1, rows = 1, length = 1;
  double mean_tokens = 1;
};

/// Tokens of the longest.
int64_t padded_length(const std::vector<const ClassifiedRow*>& rows);

/// Batches of rows of about the same length: each epoch a fresh permutation of all sets' rows, in
/// which rows change places within kTogether batches; then the batches are shuffled. The batch
/// with the longest row is the first of the run, so that what memory it needs shows at once.
class RowOrder {
 public:
  static constexpr int64_t kTogether = 50;

  /// `sets` and `run` must outlive it. `setting` is the culprit of errors: the list that the sets
  /// come from. Throws Error{config} if weights make an epoch of more than kMostRows rows.
  RowOrder(const std::vector<RowSet>& sets, int64_t rows_a_batch, const Run& run,
           std::string setting);

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
  std::string setting_;
  int64_t batches_ = 0, epoch_ = -1;
  std::vector<std::vector<const ClassifiedRow*>> epoch_batches_;
};

/// Rows of an epoch, weights counted.
constexpr double kMostRows = 1e8;

}  // namespace cupel::nn
